"""What a request may ask of the database: reads, writes, and commits, each of which waits for the disk.

A budget is for a request of a client that came a moment ago: what every request needs is remembered for a second (remembered.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import remembered
from oidc_server.database import db

from . import flows
from .conftest import API, PASSWORD, populate
from .flows import Browser
from .statements import recorded

SCOPE = "openid profile photos:read"


@pytest.fixture
def app(make_app: Callable[..., Flask], folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The usual people and apps in a database of each kind; a slow machine finds them remembered too."""
    monkeypatch.setattr(remembered, "SECONDS", 600.0)
    if database_url.startswith("sqlite"):
        return make_app()
    app = make_app(database_url=database_url)
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    with app.app_context():
        populate()
    return app


def spend(app: Flask, request: Callable[[], TestResponse], *, commits: int, reads: int | None = None) -> None:
    """Make a request, which is answered as it should be, and hold it to its budget; without commits it may not write."""
    with app.app_context():
        engine = db.engine
    with recorded(engine) as seen:
        answer = request()
    assert answer.status_code in (200, 303), answer.text
    is_within = seen.commits == commits and (commits or not seen.writes) and (reads is None or len(seen.reads) <= reads)
    if not is_within:
        pytest.fail(f"allowed: {reads} reads, {commits} commits; taken: {seen}", pytrace=False)


def client_credentials(app: Flask) -> TestResponse:
    return flows.token_request(app, "machine", grant_type="client_credentials", scope="photos:read", resource=API)


def authorize(alice: Browser) -> TestResponse:
    answer = alice.authorize(follow=False, scope=SCOPE, resource=API)
    assert "code" in flows.answer_of(answer), answer.location
    return answer


def warmed_up(alice: Browser) -> dict[str, str]:
    """Everything was done once; the tokens that came of it."""
    tokens = alice.obtain_tokens(scope=SCOPE, resource=API)
    assert flows.refresh(alice.app, tokens["refresh_token"]).status_code == 200
    assert client_credentials(alice.app).status_code == 200
    code = flows.answer_of(authorize(alice))["code"]
    found: dict[str, str] = flows.redeem(alice.app, code).json  # type: ignore[assignment]
    assert flows.userinfo(alice.app, userinfo_token(alice)).status_code == 200
    assert flows.introspect(alice.app, found["access_token"])["active"]
    return found


def userinfo_token(alice: Browser) -> str:
    return str(alice.obtain_tokens(scope="openid profile")["access_token"])


def test_client_credentials_write_nothing_and_read_once(app: Flask) -> None:
    assert client_credentials(app).status_code == 200
    spend(app, lambda: client_credentials(app), reads=1, commits=0)


def test_authorization_of_a_signed_in_person_who_consented_is_three_reads_and_one_commit(alice: Browser) -> None:
    warmed_up(alice)
    spend(alice.app, lambda: authorize(alice), reads=3, commits=1)


def test_a_code_is_exchanged_in_one_commit(alice: Browser) -> None:
    warmed_up(alice)
    code = flows.answer_of(authorize(alice))["code"]
    spend(alice.app, lambda: flows.redeem(alice.app, code), commits=1)


def test_a_refresh_is_one_commit(alice: Browser) -> None:
    tokens = warmed_up(alice)
    spend(alice.app, lambda: flows.refresh(alice.app, tokens["refresh_token"]), commits=1)


@pytest.mark.parametrize(("which", "by"), [("access_token", "api"), ("refresh_token", "web")])
def test_introspection_reads_twice_and_writes_nothing(alice: Browser, which: str, by: str) -> None:
    token = warmed_up(alice)[which]
    spend(alice.app, lambda: flows.post_as(alice.app, "/introspect", by, token=token), reads=2, commits=0)


def test_userinfo_reads_twice_and_writes_nothing(alice: Browser) -> None:
    warmed_up(alice)
    token = userinfo_token(alice)
    spend(alice.app, lambda: flows.userinfo(alice.app, token), reads=2, commits=0)


@pytest.mark.parametrize("path", ["/jwks.json", "/.well-known/openid-configuration"])
def test_documents_that_everybody_reads_ask_nothing_of_the_database(app: Flask, path: str) -> None:
    machine = flows.machine_of(app)
    for _ in range(2):  # not even the first time
        spend(app, lambda: machine.get(path, base_url=flows.base_url(app)), reads=0, commits=0)


def test_a_sign_in_is_an_attempt_a_proof_and_a_session(app: Flask) -> None:
    """The attempt counts before the hash is computed, the right password after it; the session comes when all that is asked is proven."""
    browser = Browser(app)
    page = browser.get("/login")
    spend(app, lambda: browser.submit(page, follow=False, username="alice", password=PASSWORD), commits=3)
