"""Requests nobody finishes and codes nobody has: bounded, cleaned up, and no burden to everybody else (RFC 6819 §4.4.1.11-12)."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import upkeep
from oidc_server.database import db, transact
from tests import flows
from tests.expectations import expect_page, expect_token_error, no_effect, rows_of
from tests.flows import Browser, Clock

MakeApp = Callable[..., Flask]


def purge(app: Flask) -> int:
    with app.app_context():
        return upkeep.purge()


def ask_from(app: Flask, network: str) -> TestResponse:
    """An authorization request by somebody without a cookie."""
    return app.test_client().get(
        "/authorize",
        query_string=flows.request_of(),
        base_url=flows.base_url(app),
        environ_base={"REMOTE_ADDR": network},
    )


def redeem_from(app: Flask, network: str, client_id: str, code: str) -> TestResponse:
    return flows.machine_of(app).post(
        "/token",
        data={"grant_type": "authorization_code", "code": code, "code_verifier": flows.VERIFIER}
        | {"redirect_uri": flows.REDIRECT_URIS[client_id]},
        headers=flows.basic(client_id),
        base_url=flows.base_url(app),
        environ_base={"REMOTE_ADDR": network},
    )


@pytest.mark.row("AR-26")
def test_an_anonymous_flood_is_stopped_at_the_limit_of_its_network(make_app: MakeApp) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_default="20/minute")
    answers = [ask_from(app, "192.0.2.66") for _ in range(60)]
    assert Counter(answer.status_code for answer in answers) == {303: 20, 429: 40}
    assert rows_of(app, "authorization_request") == 20
    with no_effect(app):
        refused = ask_from(app, "192.0.2.66")
        expect_page(refused, "too_many_requests", status=429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert ask_from(app, "192.0.2.1").status_code == 303, "others are not told to wait"


@pytest.mark.row("AR-26")
def test_what_a_flood_left_expires_and_is_purged(app: Flask, clock: Clock, alice: Browser) -> None:
    for number in range(30):
        assert ask_from(app, f"192.0.2.{number}").status_code == 303
    purge(app)
    assert rows_of(app, "authorization_request") == 30, "somebody may still be typing"
    clock.advance(901)
    alive = alice.authorize()
    purge(app)
    assert rows_of(app, "authorization_request") == 1
    assert alice.submit(alive, follow=False, decision="allow").status_code == 303


@pytest.mark.row("AR-26", "AC-14")
def test_the_purge_goes_in_small_batches(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(25):
        ask_from(app, "192.0.2.1")
    clock.advance(901)
    monkeypatch.setattr(upkeep, "BATCH", 10)
    sizes: list[int] = []
    clean = app.extensions["oidc_server"].storage.purge
    monkeypatch.setattr(
        app.extensions["oidc_server"].storage, "purge", lambda limit: sizes.append(clean(limit)) or sizes[-1]
    )
    result = app.test_cli_runner().invoke(args=["purge"])
    assert result.exit_code == 0, result.output
    assert "Deleted 25 expired rows." in result.output
    assert sizes == [10, 10, 5]


@pytest.mark.row("AC-14")
def test_codes_that_nobody_redeems_expire_and_are_purged(app: Flask, agreed: Browser, clock: Clock) -> None:
    purge(app)
    codes = [agreed.obtain_code() for _ in range(20)]
    assert rows_of(app, "authorization_code") == 21
    clock.advance(61)
    expect_token_error(flows.redeem(app, codes[0]))
    purge(app)
    assert rows_of(app, "authorization_code") == 0
    expect_token_error(flows.redeem(app, codes[1]))


@pytest.mark.row("AC-14")
def test_invented_codes_are_stopped_for_that_client_and_network_alone(make_app: MakeApp) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_token="5/minute")
    browser = Browser(app)
    codes = {client_id: browser.obtain_code(client_id=client_id) for client_id in ("web", "other")}
    answers = [redeem_from(app, "192.0.2.66", "web", secrets.token_urlsafe(34)) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 3
    expect_token_error(answers[0])
    expect_token_error(answers[-1], "too_many_requests", status=429)
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    with no_effect(app):
        assert redeem_from(app, "192.0.2.66", "web", codes["web"]).status_code == 429
    assert redeem_from(app, "192.0.2.66", "other", codes["other"]).status_code == 200, "another client at this address"
    assert redeem_from(app, "192.0.2.1", "web", codes["web"]).status_code == 200, "this client at another address"


@pytest.mark.row("AC-14")
def test_invented_codes_leave_nothing_behind(app: Flask) -> None:
    with no_effect(app):
        for code in ("x", "a" * 46, "\u00fc", secrets.token_urlsafe(34), secrets.token_urlsafe(3000)):
            expect_token_error(flows.redeem(app, code))


@pytest.mark.row("AC-14")
def test_one_person_cannot_start_without_end(make_app: MakeApp) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_default="30/minute")
    alice = Browser(app)
    alice.obtain_code()
    statuses = Counter(alice.authorize(follow=False).status_code for _ in range(60))
    assert statuses[429] >= 30
    assert rows_of(app, "authorization_code") <= 30
    assert rows_of(app, "authorization_request") <= 30


@pytest.mark.row("AC-14")
def test_a_full_table_makes_nobody_wait(app: Flask, agreed: Browser) -> None:
    """Codes are found by the hash they are kept under, however many there are."""

    def fill() -> None:
        for number in range(3000):
            app.extensions["oidc_server"].storage.put("authorization_code", str(number), {}, 4e9)

    with app.app_context():
        transact(fill)
        steps = _steps_of_a_read(app)
    assert steps < 200
    assert flows.redeem(app, agreed.obtain_code()).status_code == 200


def _steps_of_a_read(app: Flask) -> int:
    """How many steps of its machine SQLite takes to look for a code that is not there, in tens."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection: Any = db.session.connection().connection.driver_connection
    connection.set_progress_handler(count, 10)
    assert app.extensions["oidc_server"].storage.read("authorization_code", "invented") is None
    connection.set_progress_handler(None, 0)
    return taken * 10
