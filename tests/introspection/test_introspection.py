"""Whether a token is active, told only to those it is meant for (RFC 7662)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from tests import flows
from tests.flows import Browser, Clock

API = "https://api.photos.example/"
pytestmark = pytest.mark.spec("RFC 7662 §2")


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    return alice.obtain_tokens(scope="openid offline_access photos:read roles", resource=API)


@pytest.mark.spec("RFC 7662 §2.2")
def test_the_resource_server_learns_what_the_token_says(app: Flask, tokens: dict[str, Any]) -> None:
    found = flows.introspect(app, tokens["access_token"])
    claims = flows.claims_of(tokens["access_token"])
    assert found["active"] is True
    assert {name: found[name] for name in claims} == claims
    assert found["username"] == "alice"
    assert found["token_type"] == "Bearer"
    assert found["roles"] == ["editor"]


@pytest.mark.row("WB-07")
def test_the_answer_is_never_kept(app: Flask, tokens: dict[str, Any]) -> None:
    response = flows.post_as(app, "/introspect", "api", token=tokens["access_token"])
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.row("IN-02", "IN-05")
@pytest.mark.parametrize("caller", ["web", "other", "machine"])
def test_a_client_that_the_token_is_not_meant_for_learns_nothing(
    app: Flask, tokens: dict[str, Any], caller: str
) -> None:
    assert flows.introspect(app, tokens["access_token"])["active"] is True, "asked first by one who may"
    assert flows.introspect(app, tokens["access_token"], caller) == {"active": False}


@pytest.mark.row("IN-02")
def test_a_token_for_another_resource_is_none_of_the_api_s_business(app: Flask, alice: Browser) -> None:
    own = alice.obtain_tokens(scope="openid profile")
    assert flows.introspect(app, own["access_token"], "api") == {"active": False}


@pytest.mark.row("IN-01", "CA-04")
def test_nobody_asks_without_authenticating(app: Flask, machine: Any, tokens: dict[str, Any]) -> None:
    for data in ({}, {"client_id": "spa"}, {"client_id": "api"}):
        response = machine.post(
            "/introspect", data=data | {"token": tokens["access_token"]}, base_url=flows.base_url(app)
        )
        assert (response.status_code, response.json["error"]) == (401, "invalid_client")
        assert "active" not in response.json


@pytest.mark.row("IN-04")
@pytest.mark.parametrize("junk", ['"', "x", "a.b.c", "rt1.AAAA", "é", "0" * 16000, "..", "null"])
def test_junk_is_inactive_and_nothing_else(app: Flask, junk: str) -> None:
    assert flows.introspect(app, junk) == {"active": False}


@pytest.mark.row("IN-04", "JW-19")
def test_an_id_token_and_another_s_refresh_token_are_inactive(app: Flask, tokens: dict[str, Any]) -> None:
    assert flows.introspect(app, tokens["id_token"]) == {"active": False}
    assert flows.introspect(app, tokens["refresh_token"]) == {"active": False}
    own = flows.introspect(app, tokens["refresh_token"], "web")
    assert own["active"] is True
    assert own["client_id"] == "web"


@pytest.mark.row("IN-04")
def test_a_missing_token_is_an_invalid_request(app: Flask) -> None:
    response = flows.post_as(app, "/introspect", "api")
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


@pytest.mark.row("IN-06")
def test_it_answers_post_alone(app: Flask, machine: Any, tokens: dict[str, Any]) -> None:
    response = machine.get(
        "/introspect?token=" + tokens["access_token"], headers=flows.basic("api"), base_url=flows.base_url(app)
    )
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_wrong_or_unknown_hint_does_no_harm(app: Flask, tokens: dict[str, Any]) -> None:
    for hint in ("refresh_token", "access_token", "nonsense"):
        response = flows.post_as(app, "/introspect", "api", token=tokens["access_token"], token_type_hint=hint)
        assert response.json["active"] is True


def disable_account(app: Flask, browser: Browser) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.disable(account.id)


def change_password(app: Flask, browser: Browser) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.set_password(account.id, "an entirely different passphrase")


def disable_client(app: Flask, browser: Browser) -> None:
    clients.update("web", {}, is_disabled=True)


def delete_client(app: Flask, browser: Browser) -> None:
    clients.delete("web")


def refuse_the_key(app: Flask, browser: Browser) -> None:
    app.extensions["oidc_server"].keyring.rotate("emergency")


@pytest.mark.row("IN-03", "SE-07", "KY-02", "JW-26")
@pytest.mark.parametrize("change", [disable_account, change_password, disable_client, delete_client, refuse_the_key])
def test_whatever_ends_the_grant_is_seen_at_once(
    app: Flask, alice: Browser, tokens: dict[str, Any], change: Callable[[Flask, Browser], None], clock: Clock
) -> None:
    clock.advance(2)
    own = flows.introspect(app, tokens["access_token"])
    assert own["active"] is True
    with app.app_context():
        change(app, alice)
    assert flows.introspect(app, tokens["access_token"]) == {"active": False}


def test_an_expired_token_is_inactive(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    clock.advance(899)
    assert flows.introspect(app, tokens["access_token"])["active"] is True
    clock.advance(2)
    assert flows.introspect(app, tokens["access_token"]) == {"active": False}
