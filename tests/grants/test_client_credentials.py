"""The client credentials grant (RFC 6749 §4.4): a client for itself."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.database import db
from oidc_server.resources import store as resources
from oidc_server.tokens.models import Family
from tests import flows

pytestmark = pytest.mark.spec("RFC 6749 §4.4")
API = "https://api.photos.example/"


def ask(app: Flask, client_id: str = "machine", **changes: Any) -> Any:
    return flows.token_request(app, client_id, **({"grant_type": "client_credentials", "resource": API} | changes))


@pytest.mark.spec("RFC 9068 §2.2", "RFC 6749 §5.1")
def test_the_token_says_who_for_whom_and_until_when(app: Flask) -> None:
    response = ask(app, scope="photos:read")
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert set(response.json) == {"access_token", "token_type", "expires_in", "scope"}, "no refresh token, no ID token"
    claims = flows.claims_of(response.json["access_token"])
    assert claims["iss"] == "https://id.example.test"
    assert claims["sub"] == claims["client_id"] == "machine"
    assert claims["aud"] == API
    assert claims["scope"] == "photos:read"
    assert claims["exp"] - claims["iat"] == 900 == response.json["expires_in"]


def test_without_scope_it_is_what_the_client_may_do_there(app: Flask) -> None:
    assert ask(app).json["scope"] == "photos:read photos:write"


@pytest.mark.row("IN-16")
def test_every_token_has_one_narrow_audience_and_its_own_identifier(app: Flask) -> None:
    claims = [flows.claims_of(ask(app).json["access_token"]) for _ in range(5)]
    assert {one["aud"] for one in claims} == {API}
    assert len({one["jti"] for one in claims}) == 5


def test_nothing_is_stored(app: Flask) -> None:
    ask(app)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Family)) == 0


def test_a_person_s_scopes_are_not_for_a_machine(app: Flask) -> None:
    for scope in ("openid", "profile photos:read", "offline_access"):
        assert ask(app, scope=scope).json["error"] == "invalid_scope"


@pytest.mark.spec("RFC 8707 §2")
def test_the_resource_chooses_the_audience(app: Flask) -> None:
    assert ask(app, resource="https://nowhere.example/").json["error"] == "invalid_target"
    assert ask(app, resource="/relative").json["error"] == "invalid_target"
    assert ask(app, resource=API + "#fragment").json["error"] == "invalid_target"
    assert ask(app, resource=[API, "https://id.example.test/userinfo"]).json["error"] == "invalid_target"
    assert ask(app, resource=None, scope="photos:read").json["error"] == "invalid_scope", "UserInfo knows no photos"


def test_without_resource_the_client_s_default_is_meant(app: Flask) -> None:
    with app.app_context():
        clients.update("machine", {"default_resource": API})
    assert flows.claims_of(ask(app, resource=None).json["access_token"])["aud"] == API


def test_a_resource_can_have_its_own_lifetime(app: Flask) -> None:
    with app.app_context():
        resources.create("https://short.example/", "Short", {"photos:read": ""}, access_token_lifetime=60)
    response = ask(app, resource="https://short.example/", scope="photos:read").json
    claims = flows.claims_of(response["access_token"])
    assert claims["exp"] - claims["iat"] == 60 == response["expires_in"]


@pytest.mark.row("CA-16")
def test_a_client_without_the_grant_is_unauthorized(app: Flask) -> None:
    response = ask(app, "web")
    assert (response.status_code, response.json["error"]) == (400, "unauthorized_client")


@pytest.mark.row("CA-04")
def test_a_public_client_cannot_have_it(app: Flask) -> None:
    response = ask(app, "spa")
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")


@pytest.mark.row("CA-18")
@pytest.mark.spec("RFC 9700 §4.15")
def test_a_client_cannot_pose_as_a_person(app: Flask) -> None:
    """Their identifiers are random and of different shapes, and a client's token opens nothing that is a person's."""
    with app.app_context():
        alice = accounts.find_by_login("alice")
        registered = clients.create({"client_name": "x", "grant_types": ["client_credentials"], "response_types": []})
        assert alice is not None
        assert len(registered.client.client_id) != len(alice.id)
    token = ask(app).json["access_token"]
    response = flows.userinfo(app, token)
    assert response.status_code == 401


@pytest.mark.row("HT-14")
def test_an_unknown_grant_type_or_none_is_said_so(app: Flask) -> None:
    for grant_type, error in (
        ("magic", "unsupported_grant_type"),
        (None, "invalid_request"),
        ("CLIENT_CREDENTIALS", "unsupported_grant_type"),
    ):
        response = ask(app, grant_type=grant_type)
        assert (response.status_code, response.json["error"]) == (400, error)
        assert "magic" not in response.text
