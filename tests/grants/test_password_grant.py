"""The password grant, for clients it is switched on for (RFC 6749 §4.3)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from tests import flows
from tests.flows import Clock

pytestmark = pytest.mark.spec("RFC 6749 §4.3")
PASSWORD = "correct horse battery staple"


def ask(app: Flask, client_id: str = "machine", **changes: Any) -> Any:
    values = {"grant_type": "password", "username": "alice", "password": PASSWORD, "scope": "openid profile"} | changes
    return flows.token_request(app, client_id, **values)


def test_alice_gets_tokens_that_say_how_she_signed_in(app: Flask) -> None:
    response = ask(app)
    assert response.status_code == 200, response.text
    claims = flows.claims_of(response.json["id_token"])
    assert claims["amr"] == ["pwd"]
    assert claims["acr"] == "1"
    assert abs(claims["auth_time"] - claims["iat"]) <= 1
    assert "sid" not in claims, "there is no browser session"
    assert flows.userinfo(app, response.json["access_token"]).json["name"] == "Alice Liddell"


def test_her_refresh_token_rotates_and_keeps_the_time_of_the_sign_in(app: Flask, clock: Clock) -> None:
    tokens = ask(app).json
    clock.advance(100)
    refreshed = flows.refresh(app, tokens["refresh_token"], client_id="machine").json
    assert flows.claims_of(refreshed["id_token"])["auth_time"] == flows.claims_of(tokens["id_token"])["auth_time"]


@pytest.mark.row("EN-01", "CA-17")
@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"username": "nobody"}, {"username": "carol"}, {"password": "x" * 5000}]
)
def test_wrong_credentials_are_an_invalid_grant_whoever_it_is(app: Flask, changes: dict[str, str]) -> None:
    with app.app_context():
        carol = accounts.create(username="carol", password=PASSWORD)
        accounts.disable(carol.id)
    response = ask(app, **changes)
    assert response.status_code == 400
    assert response.json == {
        "error": "invalid_grant",
        "error_description": "The user name and the password do not match.",
    }


@pytest.mark.spec("RFC 6749 §5.2")
@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_missing_parameter_is_an_invalid_request(app: Flask, missing: str) -> None:
    response = ask(app, **{missing: None})
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


@pytest.mark.row("CA-16", "CA-17")
def test_it_is_off_for_clients_it_was_not_switched_on_for(app: Flask) -> None:
    for client_id in ("web", "spa", "api"):
        response = ask(app, client_id)
        assert (response.status_code, response.json["error"]) == (400, "unauthorized_client"), client_id


@pytest.mark.row("BF-06", "BF-05")
def test_it_shares_the_counters_of_the_login_page(make_app: Any) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_sign_in="1000/minute")
    browser = flows.Browser(app)
    for name in ("alice", "ALICE@example.test", "alice"):
        browser.submit(browser.get("/login"), username=name, password="wrong")
    for name in ("Alice", "alice@example.test"):
        assert ask(app, username=name, password="wrong").status_code == 400
    response = ask(app, password=PASSWORD)
    assert response.status_code == 429, "five failures at two doors are five failures"
    assert response.json["error"] == "too_many_requests"
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.row("BF-01")
def test_the_rate_limit_of_sign_in_holds_for_it(make_app: Any) -> None:
    app = make_app(ratelimit_enabled=True)
    answers = [ask(app).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_scope_and_resource_are_chosen_as_everywhere(app: Flask) -> None:
    response = ask(app, scope="openid photos:read", resource="https://api.photos.example/")
    assert flows.claims_of(response.json["access_token"])["aud"] == "https://api.photos.example/"
    assert ask(app, scope="openid admin").json["error"] == "invalid_scope"
    assert ask(app, scope="photos:read").json["error"] == "invalid_scope", "without its resource"
    assert ask(app, resource="https://nowhere.example/").json["error"] == "invalid_target"
