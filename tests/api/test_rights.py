"""Roles and groups by the API: only for a client's own token, and the next tokens say so."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import store as accounts

from .. import flows
from .conftest import Program, fields_of, kind_of

RESOURCE = "https://id.example.test/api/v1/accounts"
SCOPE = "accounts:roles"


def token_of(app: Flask, client_id: str = "manager", scope: str = SCOPE, resource: str = RESOURCE) -> str:
    asked = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
    answer = flows.machine_of(app).post(
        "/token", data=asked, headers=flows.basic(client_id), base_url=flows.base_url(app)
    )
    assert answer.status_code == 200, answer.text
    found: str = answer.get_json()["access_token"]
    return found


@pytest.fixture
def manager(app: Flask) -> dict[str, str]:
    """The Authorization header of a program of the people who run the server."""
    with app.app_context():
        flows.register("manager", grant_types=["client_credentials"], redirect_uris=[], response_types=[], scope=SCOPE)
    return {"Authorization": f"Bearer {token_of(app)}"}


def rights(response: TestResponse) -> tuple[Any, Any, Any]:
    assert response.status_code == 200, response.text
    said = response.get_json()
    return said["roles"], said["groups"], said["client_roles"]


def test_what_is_granted_and_revoked_is_in_the_next_tokens(
    program: Program, manager: dict[str, str], app: Flask
) -> None:
    browser = flows.Browser(app)
    browser.sign_in("bob")

    granted = program.post("grant", manager, login="bob", roles=["admin", "editor"], groups=["staff"])
    assert rights(granted) == (["admin", "editor"], ["staff"], {})
    at_one = program.post("grant", manager, login="bob@example.test", roles=["owner"], client_id="web")
    assert rights(at_one) == (["admin", "editor"], ["staff"], {"web": ["owner"]})
    tokens = browser.obtain_tokens(scope="openid roles groups")
    claims = flows.userinfo(app, tokens["access_token"]).get_json()
    assert sorted(claims["roles"]) == ["admin", "editor", "owner"] and claims["groups"] == ["staff"]

    sub = granted.get_json()["account"]["sub"]
    assert rights(program.post("revoke", manager, sub=sub, roles=["admin"], groups=["staff"])) == (
        ["editor"],
        [],
        {"web": ["owner"]},
    )
    assert rights(program.post("revoke", manager, sub=sub, roles=["owner"], client_id="web")) == (["editor"], [], {})


def test_each_change_is_an_audit_line_that_names_the_client(
    program: Program, manager: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    program.post("grant", manager, login="bob", roles=["admin"])
    [line] = [message for message in caplog.messages if '"roles.granted"' in message]
    assert '"by":"client manager"' in line and '"roles":["admin"]' in line


@pytest.mark.spec("RFC 6750 §3", "RFC 6750 §3.1")
@pytest.mark.parametrize("header", [None, "Bearer", "Bearer  x", "Basic abc", "Bearer not.a.token"])
def test_without_a_token_that_counts_nothing_is_done(program: Program, header: str | None) -> None:
    answer = program.post("grant", {"Authorization": header} if header else {}, login="bob", roles=["admin"])
    assert answer.status_code == 401
    is_token = header == "Bearer not.a.token"
    assert kind_of(answer) == ("token-refused" if is_token else "token-needed")
    assert ('error="invalid_token"' in answer.headers["WWW-Authenticate"]) is is_token
    with program.app.app_context():
        bob = accounts.find_by_login("bob")
        assert bob is not None and bob.roles == []


@pytest.mark.row("TV-05")
def test_a_token_for_another_resource_does_not_count(program: Program, app: Flask) -> None:
    token = token_of(app, "api", "photos:read", "https://api.photos.example/")
    answer = program.post("grant", {"Authorization": f"Bearer {token}"}, login="bob", roles=["admin"])
    assert answer.status_code == 401 and kind_of(answer) == "token-refused"


def test_a_person_can_allow_no_app_to_change_roles(program: Program, app: Flask) -> None:
    """Not even one that is registered for the scope: everybody who signs in there would be an administrator."""
    with app.app_context():
        flows.register("portal", redirect_uris=["https://portal.example/callback"], scope=f"openid {SCOPE}")
    browser = flows.Browser(app)
    browser.sign_in("bob")
    asked = {"client_id": "portal", "redirect_uri": "https://portal.example/callback", "resource": RESOURCE}
    tokens = browser.obtain_tokens(scope=f"openid {SCOPE}", **asked)
    refused = program.post("grant", {"Authorization": f"Bearer {tokens['access_token']}"}, login="bob", roles=["admin"])
    assert refused.status_code == 403 and kind_of(refused) == "scope-needed"
    assert f'scope="{SCOPE}"' in refused.headers["WWW-Authenticate"]


def test_a_client_that_is_not_registered_for_the_scope_gets_no_such_token(app: Flask) -> None:
    asked = {"grant_type": "client_credentials", "scope": SCOPE, "resource": RESOURCE}
    answer = flows.machine_of(app).post("/token", data=asked, headers=flows.basic("api"), base_url=flows.base_url(app))
    assert answer.status_code == 400 and answer.get_json()["error"] in ("invalid_scope", "invalid_target")


def test_bad_fields_say_what_to_change(program: Program, manager: dict[str, str]) -> None:
    assert kind_of(program.post("grant", manager, login="nobody", roles=["x"])) == "account-unknown"
    assert kind_of(program.post("grant", manager, sub="nobody", roles=["x"])) == "account-unknown"
    assert fields_of(program.post("grant", manager, login="bob")) == ["roles"]
    assert fields_of(program.post("grant", manager, login="bob", roles="admin")) == ["roles"]
    assert fields_of(program.post("grant", manager, login="bob", roles=[7])) == ["roles"]
    assert fields_of(program.post("grant", manager, login="bob", roles=["x"] * 101)) == ["roles"]
    assert fields_of(program.post("grant", manager, login="bob", roles=["a\nb"])) == [""]
    assert fields_of(program.post("grant", manager, login="bob", groups=["x"], client_id="web")) == ["groups"]
    assert fields_of(program.post("grant", manager, login="bob", roles=["x"], client_id="gone")) == ["client_id"]
    with program.app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
    assert kind_of(program.post("grant", manager, sub=alice.id, login="bob", roles=["x"])) == "account-unknown"
