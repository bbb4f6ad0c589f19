"""Roles and groups: given and taken by command, for every app or for one, and what the tokens say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from oidc_server import audit
from oidc_server.accounts import client_roles, store
from oidc_server.clients import store as clients

from .. import flows


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["accounts", *arguments])


def shown(app: Flask, who: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(app, "show", who, "--json").stdout)
    return found


def test_roles_and_groups_are_given_once_and_taken_away(app: Flask) -> None:
    assert run(app, "grant", "alice", "--role", "chief", "--role", "editor", "--group", "staff").exit_code == 0
    assert run(app, "grant", "alice@example.test", "--role", "chief").exit_code == 0
    given = shown(app, "alice")
    assert (given["roles"], given["groups"]) == (["editor", "chief"], ["photographers", "staff"])

    assert run(app, "revoke", "alice", "--role", "editor", "--role", "never had", "--group", "staff").exit_code == 0
    taken = shown(app, "alice")
    assert (taken["roles"], taken["groups"], taken["client_roles"]) == (["chief"], ["photographers"], {})


def test_a_role_at_one_client_is_beside_those_for_all(app: Flask) -> None:
    assert run(app, "grant", "alice", "--role", "chief", "--client", "web").exit_code == 0
    given = json.loads(run(app, "grant", "alice", "--role", "reader", "--client", "spa", "--json").stdout)
    assert given["roles"] == ["editor"]
    assert given["client_roles"] == {"spa": ["reader"], "web": ["chief"]}

    assert run(app, "revoke", "alice", "--role", "chief", "--client", "web").exit_code == 0
    assert shown(app, "alice")["client_roles"] == {"spa": ["reader"]}
    assert '{"spa": ["reader"]}' in run(app, "show", "alice").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nobody", "--role", "chief"], "no such account"),
        (["alice", "--role", "chief", "--client", "nobody"], "no such client"),
        (["alice", "--role", " "], "visible characters"),
        (["alice"], "Say which"),
        (["alice", "--group", "staff", "--client", "web"], "same for every app"),
    ],
)
def test_what_cannot_be_given_is_said_plainly_and_changes_nothing(
    app: Flask, arguments: list[str], reason: str
) -> None:
    before = shown(app, "alice")
    for command in ("grant", "revoke"):
        result = run(app, command, *arguments)
        assert result.exit_code != 0
        assert reason in result.stderr

    assert shown(app, "alice") == before


def test_who_gave_what_is_in_the_audit_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    run(app, "grant", "alice", "--role", "chief", "--client", "web")
    run(app, "revoke", "alice", "--group", "photographers")
    lines = [json.loads(logged.getMessage()) for logged in caplog.records if logged.name == audit.__name__]
    [granted] = [line for line in lines if line["event"] == "roles.granted"]
    [revoked] = [line for line in lines if line["event"] == "roles.revoked"]

    assert (granted["roles"], granted["client_id"], granted["by"]) == (["chief"], "web", "command line")
    assert revoked["groups"] == ["photographers"]


def roles_in(app: Flask, tokens: dict[str, Any]) -> list[list[str] | None]:
    """The roles in the access token, the ID token, and at the UserInfo endpoint."""
    told = flows.userinfo(app, tokens["access_token"]).json or {}
    return [flows.claims_of(tokens[name]).get("roles") for name in ("access_token", "id_token")] + [told.get("roles")]


def test_a_token_says_the_roles_for_all_and_those_at_the_client_that_asks(app: Flask) -> None:
    run(app, "grant", "alice", "--role", "chief", "--role", "editor", "--client", "web")
    run(app, "grant", "alice", "--role", "tester", "--client", "other")
    browser = flows.Browser(app)
    at_web = browser.obtain_tokens(scope="openid roles offline_access", prompt="consent")

    assert roles_in(app, at_web) == [["editor", "chief"]] * 3
    at_other = browser.obtain_tokens(client_id="other", scope="openid roles")
    assert roles_in(app, at_other) == [["editor", "tester"]] * 3
    without = browser.obtain_tokens(scope="openid profile")
    assert roles_in(app, without) == [None] * 3

    run(app, "revoke", "alice", "--role", "chief", "--client", "web")
    refreshed = flows.refresh(app, at_web["refresh_token"]).json
    assert roles_in(app, refreshed) == [["editor"]] * 3


def test_a_client_that_is_deleted_takes_its_roles_along(app: Flask) -> None:
    run(app, "grant", "alice", "--role", "chief", "--client", "web")
    with app.app_context():
        alice = store.find_by_login("alice")
        assert alice is not None
        clients.delete("web")
        assert client_roles.of_accounts([alice.id]) == {}
        flows.register("web", redirect_uris=["https://photos.example/callback"])

        assert client_roles.roles_at(alice.id, "web") == []


def test_a_person_who_is_deleted_takes_their_roles_along(app: Flask) -> None:
    run(app, "grant", "bob", "--role", "chief", "--client", "web")
    with app.app_context():
        bob = store.find_by_login("bob")
        assert bob is not None
        bob_id = bob.id
        assert client_roles.of_accounts([bob_id]) == {bob_id: {"web": ["chief"]}}
        store.delete(bob_id)

        assert client_roles.of_accounts([bob_id]) == {}


def test_the_list_tells_who_is_verified_and_when_they_came_last(app: Flask) -> None:
    flows.Browser(app).sign_in("alice")
    alice, bob = run(app, "list").stdout.splitlines()
    described = {account["username"]: account for account in json.loads(run(app, "list", "--json").stdout)}

    assert "last sign-in 20" in alice
    assert "not verified" not in alice
    assert bob.endswith("address not verified  never signed in")
    assert (described["alice"]["is_verified"], described["bob"]["is_verified"]) == (True, False)
    assert described["alice"]["last_login_at"] and described["bob"]["last_login_at"] is None
