"""What is said about a person, or asked for by an app, never takes the place of what the server says (CVE-2024-29892)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.accounts import ClaimRefused
from oidc_server.accounts import store as accounts
from oidc_server.accounts.models import Account
from oidc_server.database import db, transact
from tests import flows
from tests.expectations import no_effect
from tests.flows import Browser, claims_of

pytestmark = pytest.mark.row("JW-25")

RESERVED = [
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "acr", "amr", "azp", "nonce", "sid", "at_hash"),
    *("client_id", "scope", "roles", "groups", "entitlements", "cnf", "act", "may_act", "active", "username"),
    *("token_type", "email", "email_verified", "updated_at", "__proto__", "urn:zitadel:iam:org:project:roles"),
]
EVIL = dict.fromkeys(RESERVED, "evil") | {"exp": 9999999999, "roles": ["admin"], "groups": ["root"], "aud": ["x"]}
SCOPE = "openid profile roles groups offline_access photos:read"
API = "https://api.photos.example/"


@pytest.mark.parametrize("name", RESERVED)
def test_an_account_cannot_be_made_with_a_claim_of_this_name(app: Flask, name: str, tmp_path: Path) -> None:
    with no_effect(app), app.app_context(), pytest.raises(ClaimRefused):
        accounts.create("mallory", None, claims={name: EVIL[name]})
    file = tmp_path / "claims.json"
    file.write_text(json.dumps({name: EVIL[name]}), "utf-8")
    with no_effect(app):
        arguments = ["accounts", "create", "--username", "mallory", "--generate-password", "--claims-file", str(file)]
        refused = app.test_cli_runner().invoke(args=arguments)
        assert refused.exit_code == 1
        assert "no standard claim" in refused.output


def everything_issued(app: Flask, browser: Browser, **parameters: Any) -> dict[str, dict[str, Any]]:
    """The claims of all that an app and an API get to see."""
    tokens = browser.obtain_tokens(scope=SCOPE, **parameters)
    person = flows.userinfo(app, tokens["access_token"]).json
    refreshed = flows.refresh(app, tokens["refresh_token"], resource=API).json
    return {
        "access token": claims_of(tokens["access_token"]),
        "ID token": claims_of(tokens["id_token"]),
        "UserInfo": person,
        "access token for the API": claims_of(refreshed["access_token"]),
        "introspection": flows.introspect(app, refreshed["access_token"]),
    }


def expect_the_truth(app: Flask, issued: dict[str, dict[str, Any]], audiences: dict[str, str]) -> None:
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
    for place, claims in issued.items():
        assert claims["sub"] == alice.id, place
        assert claims["roles"] == ["editor"], place
        assert claims["groups"] == ["photographers"], place
        assert "evil" not in json.dumps(claims), place
        if place != "UserInfo":
            assert claims["iss"] == "https://id.example.test", place
            assert claims["aud"] == audiences[place], place
            assert claims["exp"] == claims["iat"] + 900, place
        if "access" in place or place == "introspection":
            assert claims["client_id"] == "web", place


AUDIENCES = {
    "access token": "https://id.example.test/userinfo",
    "ID token": "web",
    "access token for the API": API,
    "introspection": API,
}


@pytest.mark.parametrize("how", [None, {"value": "evil"}, {"essential": True, "values": ["evil"]}])
def test_the_claims_parameter_writes_nothing(app: Flask, alice: Browser, how: Any) -> None:
    # `sub` by value means another person, an essential `acr` another sign-in: both are refused, and tested there.
    asked = {name: how for name in RESERVED if name not in ("sub", "acr")}
    issued = everything_issued(
        app, alice, claims=json.dumps({"id_token": asked, "userinfo": asked}), resource=[AUDIENCES["access token"], API]
    )
    expect_the_truth(app, issued, AUDIENCES)


def test_not_even_a_claim_that_came_into_the_database_by_hand_does(app: Flask, alice: Browser) -> None:
    def write() -> None:
        kept = db.session.scalar(sa.select(Account.claims).where(Account.username == "alice"))
        db.session.execute(sa.update(Account).where(Account.username == "alice").values(claims=EVIL | (kept or {})))

    with app.app_context():
        transact(write)
    asked = dict.fromkeys(RESERVED)
    issued = everything_issued(
        app, alice, claims=json.dumps({"id_token": asked, "userinfo": asked}), resource=[AUDIENCES["access token"], API]
    )
    expect_the_truth(app, issued, AUDIENCES)
    assert issued["UserInfo"]["email"] == "alice@example.test"
    assert isinstance(issued["UserInfo"]["updated_at"], int)


@pytest.mark.parametrize("name", ["iss", "sub", "roles", "aud", "exp", "openid", "offline_access"])
def test_a_role_or_group_of_such_a_name_is_a_name_in_a_list(app: Flask, name: str) -> None:
    with app.app_context():
        accounts.create("carol", "correct horse battery staple", roles=[name], groups=[f"{name}: evil"])
    carol = Browser(app)
    carol.sign_in("carol")
    for claims in everything_issued(app, carol, resource=[AUDIENCES["access token"], API]).values():
        assert claims["roles"] == [name]
        assert claims["groups"] == [f"{name}: evil"]
        assert claims["sub"] != "evil"


def test_parameters_of_the_token_request_write_nothing(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid roles", **dict.fromkeys(("sub", "iss", "roles", "sid", "amr"), "evil"))
    extra = {name: "evil" for name in RESERVED if name not in ("client_id", "scope", "__proto__")}
    tokens = flows.redeem(app, code, **extra).json
    assert "evil" not in json.dumps([claims_of(tokens[name]) for name in ("access_token", "id_token")])
