"""`make serve`: migrates the database, then becomes granian, the application server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

from .settings import ROOT, Settings, SettingsError, load

_BIN = Path(sys.executable).parent

MIGRATE = [str(_BIN / "flask"), "db", "upgrade"]


def adopt_port(environ: MutableMapping[str, str]) -> None:
    """Take the bare PORT that platforms set into our own settings, where they say nothing else.

    Raises SettingsError when it is not a port.
    """
    port = environ.get("PORT")
    if port is None:
        return
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"PORT is {port!r}; it must be a number from 1 to 65535.")
    environ.setdefault("OIDC_BIND", f"127.0.0.1:{port}")
    if environ.get("OIDC_ENVIRONMENT") != "production":
        environ.setdefault("OIDC_ISSUER", f"http://localhost:{port}")


def address(settings: Settings) -> tuple[str, int]:
    """Host and port to listen on: `bind`, else this machine alone at the issuer's port. Raises SettingsError."""
    if not settings.bind:
        issuer = urlsplit(settings.issuer)
        return "127.0.0.1", issuer.port or 8000
    host, _, port = settings.bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"OIDC_BIND is {settings.bind!r}; it must be an address and a port, such as 0.0.0.0:8000.")
    return host, int(port)


def server_command(settings: Settings) -> list[str]:
    """The command line of granian. Raises SettingsError."""
    host, port = address(settings)
    return [
        str(_BIN / "granian"),
        "wsgi:app",
        *("--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(settings.workers)),
        # A thread more than it has database connections would only wait for one.
        *("--blocking-threads", str(settings.database_pool_size + 2)),
        # Bounds the head of a request, at 32 to 64 kB as its pieces come; the default is 400 kB.
        *("--http1-buffer-size", "32768"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "10"),
        *("--log-level", settings.log_level.lower()),
    ]


def main() -> None:
    """Migrate and serve; on a setting that cannot be, say which and exit with status 1."""
    try:
        adopt_port(os.environ)
        settings = load()
        command = server_command(settings)
    except SettingsError as error:
        sys.exit(str(error))
    if subprocess.run(MIGRATE, cwd=ROOT, check=False).returncode:
        sys.exit("The database could not be brought up to date; nothing was started.")
    os.chdir(ROOT)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
