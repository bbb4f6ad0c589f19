"""`flask accounts sign-out`: an operator ends what a person, or everybody, has open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from oidc_server import audit
from oidc_server.logout import commands
from tests import flows
from tests.expectations import audited, expect_alive, expect_revoked, expect_token_error, no_effect
from tests.flows import Browser

OFFLINE = "openid offline_access"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["accounts", "sign-out", *arguments])


@pytest.fixture
def bob(app: Flask) -> Browser:
    signed_in = Browser(app)
    signed_in.sign_in("bob")
    return signed_in


def is_signed_in(browser: Browser) -> bool:
    return 'id="login-form"' not in browser.get("/login").text


@pytest.mark.parametrize("named", ["alice", "ALICE@example.test", "sub"])
def test_one_person_is_signed_out_of_all_browsers_and_apps_and_nobody_else(
    app: Flask, alice: Browser, bob: Browser, named: str
) -> None:
    second_browser = Browser(app)
    second_browser.sign_in("alice")
    hers = [alice.obtain_tokens(scope=OFFLINE), second_browser.obtain_tokens(scope="openid", client_id="other")]
    his = bob.obtain_tokens(scope=OFFLINE)
    who = flows.claims_of(hers[0]["id_token"])["sub"] if named == "sub" else named
    result = run(app, who)
    assert result.exit_code == 0, result.output
    assert result.output == f"Ended 2 sessions and 2 grants of {who}.\n"
    expect_revoked(app, hers[0])
    expect_revoked(app, hers[1], "other")
    assert not is_signed_in(alice) and not is_signed_in(second_browser)
    assert is_signed_in(bob)
    expect_alive(app, his)
    assert flows.refresh(app, his["refresh_token"]).status_code == 200


def test_everybody_is_signed_out_in_batches(
    app: Flask, alice: Browser, bob: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_BATCH", 2)
    tokens: list[dict[str, Any]] = [person.obtain_tokens(scope=OFFLINE) for person in (alice, bob) * 3]
    result = run(app, "--all", "--json")
    assert json.loads(result.output) == {"sessions": 2, "grants": 6}
    for each in tokens:
        expect_revoked(app, each)
    assert not is_signed_in(alice) and not is_signed_in(bob)
    assert json.loads(run(app, "--all", "--json").output) == {"sessions": 0, "grants": 0}


@pytest.mark.parametrize("scope", ["openid", OFFLINE])
def test_a_code_on_its_way_is_refused(app: Flask, alice: Browser, scope: str) -> None:
    code = alice.obtain_code(scope=scope)
    assert run(app, "alice").exit_code == 0
    with no_effect(app):
        expect_token_error(flows.redeem(app, code))


def test_the_person_signs_in_again_as_ever(app: Flask, alice: Browser) -> None:
    alice.obtain_tokens(scope=OFFLINE)
    run(app, "alice")
    alice.sign_in("alice")
    expect_alive(app, alice.obtain_tokens())


def test_each_end_is_a_line_of_the_audit_log(app: Flask, alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    tokens = alice.obtain_tokens(scope=OFFLINE)
    run(app, "alice")
    claims = flows.claims_of(tokens["id_token"])
    (session,) = audited(caplog, audit.SESSION_ENDED)
    assert (session["account_id"], session["sid"], session["by"]) == (claims["sub"], claims["sid"], "command line")
    (family,) = audited(caplog, audit.FAMILY_REVOKED)
    assert family["because"] == "signed out by an operator"


@pytest.mark.parametrize("arguments", [(), ("alice", "--all")])
def test_it_must_be_clear_who_is_meant(app: Flask, alice: Browser, arguments: tuple[str, ...]) -> None:
    with no_effect(app):
        assert run(app, *arguments).exit_code == 2
    assert is_signed_in(alice)


def test_an_unknown_account_is_said_plainly(app: Flask) -> None:
    result = run(app, "nobody")
    assert result.exit_code == 1
    assert "no such account" in result.stderr
