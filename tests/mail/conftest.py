"""A mail server, an app that knows it, and a mail to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from oidc_server import create_app, mail
from oidc_server.database import now, transact

from .. import live
from ..conftest import ISSUER, settings_for
from .smtp_server import MailServer

LINK = f"{ISSUER}/reset?link=the-secret-of-the-link"
CODE = "12345678"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def mailer(make_app: Callable[..., Flask], mail_server: MailServer) -> Iterator[Flask]:
    """An app with that mail server, in its context."""
    app = make_app(smtp_url=mail_server.url)
    with app.app_context():
        yield app


@pytest.fixture
def make_mailer(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Flask]]:
    """Make an app over a migrated database of each kind, with settings by name."""
    made: list[Flask] = []

    def make(**overrides: Any) -> Flask:
        settings = settings_for(tmp_path, database_url=database_url, signing_algorithms=("ES256",), **overrides)
        made.append(create_app(**settings))
        if len(made) == 1:
            assert made[0].test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
        return made[-1]

    yield make
    for app in made:
        live.close(app)


def send_reset(to: str = "alice@example.test", **changes: Any) -> None:
    """Put the mail that most tests speak of into the outbox, in a transaction of its own."""
    values = {"link": LINK, "code": CODE, "ends_at": now() + 3600, "network": "192.0.2.7", "language": "en"} | changes
    transact(lambda: mail.send("reset_password", to, **values))
