"""Which refresh is refused, and that a refusal changes nothing it should not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.database import db, transact
from oidc_server.resources import store as resources
from oidc_server.tokens.models import Family
from tests import flows
from tests.flows import Browser, Clock
from tests.refresh.conftest import API, OFFLINE

pytestmark = pytest.mark.spec("RFC 6749 §6")
DAY = 86400


def refused(app: Flask, token: str, error: str = "invalid_grant", **changes: Any) -> None:
    response = flows.refresh(app, token, **changes)
    assert response.status_code == 400, response.text
    assert response.json["error"] == error
    assert "refresh_token" not in response.json
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.row("RT-05")
def test_another_clients_token_is_refused_and_stays_alive(app: Flask, tokens: dict[str, Any]) -> None:
    refused(app, tokens["refresh_token"], client_id="other")
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 200


@pytest.mark.row("RT-10")
def test_a_confidential_client_that_does_not_authenticate_is_refused(app: Flask, tokens: dict[str, Any]) -> None:
    response = flows.refresh(app, tokens["refresh_token"], headers={}, client_id="web")
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 200


@pytest.mark.row("RT-12", "AC-06", "JW-19")
def test_only_a_refresh_token_is_one(app: Flask, alice: Browser, tokens: dict[str, Any]) -> None:
    refused(app, tokens["access_token"])
    refused(app, tokens["id_token"])
    refused(app, alice.obtain_code())
    for malformed in ("rt1.", "rt1.AAAA", "x", tokens["refresh_token"] + "=", tokens["refresh_token"][:-1], "rt1.ä"):
        refused(app, malformed)


def test_a_missing_refresh_token_is_an_invalid_request(app: Flask) -> None:
    response = flows.token_request(app, grant_type="refresh_token")
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


@pytest.mark.row("RT-06")
def test_scope_can_be_narrowed_and_never_widened(app: Flask, tokens: dict[str, Any]) -> None:
    refused(app, tokens["refresh_token"], "invalid_scope", scope="openid phone photos:read")
    narrowed = flows.refresh(app, tokens["refresh_token"], scope="photos:read").json
    assert narrowed["scope"] == "photos:read"
    assert "id_token" not in narrowed, "openid was left out"
    whole = flows.refresh(app, narrowed["refresh_token"]).json
    assert whole["scope"] == "photos:read photos:write", "the new refresh token still has what was granted"


@pytest.mark.row("RT-07")
@pytest.mark.spec("RFC 8707 §2.2")
def test_another_resource_than_the_granted_is_an_invalid_target(app: Flask, tokens: dict[str, Any]) -> None:
    with app.app_context():
        resources.create("https://secrets.example/", "Secrets", {"photos:read": "everything"})
    for resource in ("https://secrets.example/", "https://nowhere.example/", "not a uri"):
        refused(app, tokens["refresh_token"], "invalid_target", resource=resource)
    refused(app, tokens["refresh_token"], "invalid_target", resource=[API, "https://id.example.test/userinfo"])
    assert flows.refresh(app, tokens["refresh_token"], resource=API).status_code == 200


@pytest.mark.row("RT-07")
def test_a_resource_that_was_deleted_since_is_an_invalid_target(app: Flask, tokens: dict[str, Any]) -> None:
    with app.app_context():
        resources.delete(API)
    refused(app, tokens["refresh_token"], "invalid_target")


@pytest.mark.row("RT-08")
def test_an_unused_token_ends_after_the_idle_limit(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    clock.advance(14 * DAY - 5)
    successor = flows.refresh(app, tokens["refresh_token"]).json
    clock.advance(14 * DAY + 1)
    refused(app, successor["refresh_token"])


@pytest.mark.row("RT-08")
def test_no_rotation_moves_the_absolute_end(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    current = tokens
    for _ in range(8):
        clock.advance(11 * DAY)
        current = flows.refresh(app, current["refresh_token"]).json
    clock.advance(3 * DAY)
    refused(app, current["refresh_token"])


def end_account(app: Flask) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.disable(account.id)


def change_password(app: Flask) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.set_password(account.id, "an entirely different passphrase")


def delete_account(app: Flask) -> None:
    account = accounts.find_by_login("alice")
    transact(lambda: db.session.delete(account))


def take_the_scope_away(app: Flask) -> None:
    clients.update("web", {"scope": "openid profile"})


@pytest.mark.row("RT-09", "SE-07", "BF-06")
@pytest.mark.parametrize("change", [end_account, change_password, delete_account, take_the_scope_away])
def test_what_ends_the_account_or_the_clients_right_ends_refreshing(
    app: Flask, tokens: dict[str, Any], change: Callable[[Flask], None], clock: Clock
) -> None:
    clock.advance(1)
    with app.app_context():
        change(app)
    refused(app, tokens["refresh_token"])


@pytest.mark.row("DR-12", "RT-09")
def test_a_deleted_client_takes_its_families_along(app: Flask, tokens: dict[str, Any]) -> None:
    with app.app_context():
        clients.delete("web")
        assert db.session.query(Family).count() == 0
    response = flows.refresh(app, tokens["refresh_token"])
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")
    assert flows.introspect(app, tokens["access_token"]) == {"active": False}


@pytest.mark.row("LO-05", "RT-16")
def test_without_offline_access_the_family_ends_at_sign_out_and_with_it_it_does_not(app: Flask, alice: Browser) -> None:
    online = alice.obtain_tokens(scope="openid profile")
    offline = alice.obtain_tokens(scope="openid offline_access")
    page = alice.get("/logout")
    alice.submit(page, decision="confirm")
    refused(app, online["refresh_token"])
    assert flows.userinfo(app, online["access_token"]).status_code == 401
    assert flows.refresh(app, offline["refresh_token"]).status_code == 200


@pytest.mark.row("RT-16")
def test_another_person_at_the_same_browser_ends_the_first_ones_online_tokens_and_gets_none_of_them(
    app: Flask, alice: Browser
) -> None:
    online = alice.obtain_tokens(scope="openid profile")
    offline = alice.obtain_tokens(scope="openid offline_access")
    alice.submit(alice.authorize(prompt="login"), username="bob", password="correct horse battery staple")
    bobs = alice.obtain_tokens(scope="openid profile")
    refused(app, online["refresh_token"])
    kept = flows.refresh(app, offline["refresh_token"]).json
    assert flows.claims_of(kept["id_token"])["sub"] == flows.claims_of(online["id_token"])["sub"]
    assert flows.claims_of(bobs["id_token"])["sub"] != flows.claims_of(online["id_token"])["sub"]


def test_a_family_that_belongs_to_the_session_ends_with_its_absolute_limit(
    app: Flask, alice: Browser, clock: Clock
) -> None:
    tokens = alice.obtain_tokens(scope="openid profile")
    clock.advance(7 * DAY + 1)
    refused(app, tokens["refresh_token"])


@pytest.mark.spec("OIDC Core §12.2")
def test_the_new_id_token_speaks_of_the_old_sign_in(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    before = flows.claims_of(tokens["id_token"])
    clock.advance(120)
    after = flows.claims_of(flows.refresh(app, tokens["refresh_token"]).json["id_token"])
    for same in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert after[same] == before[same], same
    assert after["iat"] >= before["iat"] + 119
    assert "azp" not in after and "azp" not in before
    assert "nonce" not in after


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"grant_types": ["authorization_code"]})
    tokens = alice.obtain_tokens(scope=OFFLINE, resource=API)
    assert "refresh_token" not in tokens


@pytest.mark.row("RT-09")
def test_a_client_that_lost_the_refresh_grant_is_unauthorized(app: Flask, tokens: dict[str, Any]) -> None:
    with app.app_context():
        clients.update("web", {"grant_types": ["authorization_code"]})
    refused(app, tokens["refresh_token"], "unauthorized_client")


def test_a_public_client_refreshes_with_rotation(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(client_id="spa", scope="openid offline_access")
    first = flows.refresh(app, tokens["refresh_token"], client_id="spa")
    assert first.status_code == 200
    assert first.json["refresh_token"] != tokens["refresh_token"]
