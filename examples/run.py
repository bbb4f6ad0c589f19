"""`make run`: the server, an app and an API that use it, with demo data, until Ctrl-C. PORT moves all three."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from typing import Any

from . import state
from .processes import Crashed, Processes, Stopped

SUMMARY = """
  Open this     {web_app}   an app that signs people in with the server
  The server    {issuer}   and what it says of itself: {issuer}/.well-known/openid-configuration
  An API        {api}  which accepts its tokens

  Sign in as    {username}
  Password      {password}

  A token for the API:
  curl -s -u {curl_id}:{curl_secret} -d grant_type=client_credentials \\
    -d scope=photos:read -d resource={api} {issuer}/token

  Ctrl-C stops everything.
"""


class CannotStart(Exception):
    """Something outside is in the way; the message says what and what to do."""


def chosen_port(text: str) -> int:
    """The first of the three ports. Raises CannotStart."""
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= 65533:
        raise CannotStart(f"PORT is {text!r}; it must be a number from 1024 to 65533.")
    return int(text)


def require_free(port: int, whose: str) -> None:
    """Raise CannotStart when something listens at this port of localhost already, on IPv4 or IPv6."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:  # any other means that this machine has no IPv6
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"Port {port} is in use, and {whose} needs it. Choose three others: PORT=9000 make run"
                ) from None


def summary(made: dict[str, Any], issuer: str, web_app: str, api: str) -> str:
    curl_id, curl_secret = made["clients"]["curl"]
    return SUMMARY.format(
        issuer=issuer,
        web_app=web_app,
        api=api,
        username=made["username"],
        password=made["password"],
        curl_id=curl_id,
        curl_secret=curl_secret,
    )


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http address
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def run(processes: Processes) -> None:
    """Start everything, say where it is, and watch. Raises CannotStart, Crashed or Stopped."""
    port = chosen_port(os.environ.get("PORT") or "8000")
    for number, whose in ((port, "the server"), (port + 1, "the example app"), (port + 2, "the example API")):
        require_free(number, whose)
    issuer, web_app, api = f"http://localhost:{port}", f"http://localhost:{port + 1}", f"http://localhost:{port + 2}/"
    plain = {name: value for name, value in os.environ.items() if name != "PORT" and not name.startswith("OIDC_")}
    settings = {name: value for name, value in os.environ.items() if name.startswith("OIDC_")}
    server = plain | settings | {"OIDC_ISSUER": issuer, "OIDC_BIND": f"127.0.0.1:{port}"}

    seeding = server | {"WEB_APP": web_app, "API": api}
    made = state.read()
    if not state.is_current(made, seeding):
        processes.start("seed", [sys.executable, "-m", "examples.seed"], seeding)
        processes.finish("seed")
        made = state.read()
    processes.start("server", made["command"], server)
    client_id, client_secret = made["clients"]["web_app"]
    processes.start(
        "web_app",
        [sys.executable, "-m", "examples.web_app"],
        plain
        | {"ISSUER": issuer, "CLIENT_ID": client_id, "CLIENT_SECRET": client_secret, "API": api}
        | {"BASE_URL": web_app, "PORT": str(port + 1)},
    )
    processes.start(
        "api",
        [sys.executable, "-m", "examples.api"],
        plain | {"ISSUER": issuer, "IDENTIFIER": api, "PORT": str(port + 2)},
    )
    waited_for = (f"{issuer}/.well-known/openid-configuration", web_app, api)
    processes.wait_for(lambda: all(map(answers, waited_for)), within=60)
    print(summary(made, issuer, web_app, api), flush=True)
    processes.show_output()
    processes.wait_for(lambda: False)


def main() -> int:
    processes = Processes(state.ROOT)
    # Set, not inherited: a shell that starts us in the background has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: processes.stopping.set())
    try:
        run(processes)
    except (CannotStart, Crashed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except Stopped:
        pass
    finally:
        processes.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
