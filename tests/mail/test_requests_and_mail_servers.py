"""FT-26: whatever the mail server does, the request that sends a mail is answered as if it were not there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from oidc_server import mail
from oidc_server.database import db, now, transact
from oidc_server.mail import store

from .conftest import LINK
from .smtp_server import MailServer
from .test_workers import wait_for


def with_a_page_that_sends(app: Flask) -> Flask:
    """A page of the smallest kind that sends a mail, as those for sign-up and recovery do."""

    @app.get("/sends/<name>")
    def sends(name: str) -> str:
        values = {"link": LINK, "code": "12345678", "ends_at": now() + 600, "network": None, "language": "en"}
        transact(lambda: mail.send("verify_email", f"{name}@example.test", **values))
        return "sent"

    return app


@pytest.fixture
def silent() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"


def slowest_of(app: Flask, requests: int) -> float:
    client = app.test_client()
    durations = []
    for number in range(requests):
        started = time.monotonic()
        response = client.get(f"/sends/person{number}", base_url="https://id.example.test")
        durations.append(time.monotonic() - started)
        assert (response.status_code, response.text) == (200, "sent")
        time.sleep(0.1)
    return max(durations)


@pytest.mark.row("FT-26", "EN-03")
@pytest.mark.parametrize(
    "fault", ["refuses connections", "says nothing", "is slow with each mail", "refuses each mail"]
)
def test_no_request_waits_for_a_mail_server(
    make_app: Callable[..., Flask], mail_server: MailServer, silent: str, fault: str
) -> None:
    if fault == "refuses connections":
        mail_server.stop()
        url = "smtp://127.0.0.1:1"
    else:
        url = silent if fault == "says nothing" else mail_server.url
    mail_server.delay = 5.0 if fault == "is slow with each mail" else 0.0
    mail_server.data_answer = "554 no" if fault == "refuses each mail" else "250 OK"
    app = with_a_page_that_sends(make_app(smtp_url=url))
    # The silent server would take 20 s of a request's time, the slow one 5.
    assert slowest_of(app, 25) < 3.0
    with app.app_context():
        assert len(store.newest(100)) == 25


@pytest.mark.row("FT-26")
def test_what_waited_is_delivered_when_the_mail_server_is_back(
    make_app: Callable[..., Flask], mail_server: MailServer
) -> None:
    url, port = mail_server.url, mail_server.port
    mail_server.stop()
    app = with_a_page_that_sends(make_app(smtp_url=url))
    client = app.test_client()
    for number in range(5):
        client.get(f"/sends/person{number}", base_url="https://id.example.test")
    time.sleep(1.5)
    mail_server.start(port)
    wait_for(lambda: len(mail_server.taken) == 5)
    with app.app_context():
        db.session.rollback()
        wait_for(lambda: {found.state for found in refreshed()} == {"delivered"})
        assert {found.attempts for found in refreshed()} == {1}


def refreshed() -> list[store.OutboxMail]:
    db.session.rollback()
    db.session.expire_all()
    return store.newest(100)


@pytest.mark.row("FT-26")
def test_an_outage_is_logged_once_and_so_is_its_end(
    make_app: Callable[..., Flask], mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    url, port = mail_server.url, mail_server.port
    mail_server.stop()
    app = with_a_page_that_sends(make_app(smtp_url=url))
    app.test_client().get("/sends/alice", base_url="https://id.example.test")
    wait_for(lambda: "mail waits in the outbox: The mail server cannot be reached" in caplog.text)
    time.sleep(2.5)
    assert caplog.text.count("mail waits in the outbox") == 1
    mail_server.start(port)
    wait_for(lambda: "mail leaves the outbox again" in caplog.text)
