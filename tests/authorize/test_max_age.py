"""max_age: how long ago the person may have signed in (OIDC Core §3.1.2.1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import expect_error_redirect, no_effect
from tests.flows import Browser, Clock, answer_of, claims_of

PASSWORD = "correct horse battery staple"
SIGN_IN = 'id="login-form"'


def identity(browser: Browser, response: Any) -> dict[str, Any]:
    return claims_of(flows.redeem(browser.app, answer_of(response)["code"]).json["id_token"])


@pytest.mark.row("AR-12")
@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §2")
def test_an_older_sign_in_is_repeated(agreed: Browser, clock: Clock) -> None:
    first = identity(agreed, agreed.authorize(follow=False))
    clock.advance(2)
    page = agreed.authorize(max_age=1)
    assert SIGN_IN in page.text
    second = identity(agreed, agreed.submit(page, username="alice", password=PASSWORD))
    assert second["auth_time"] >= first["auth_time"] + 2
    assert abs(second["auth_time"] - clock()) < 5
    assert second["sub"] == first["sub"]


@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §2")
def test_a_recent_sign_in_is_enough(agreed: Browser, clock: Clock) -> None:
    first = identity(agreed, agreed.authorize(follow=False, max_age=15000))
    clock.advance(3600)
    second = identity(agreed, agreed.authorize(follow=False, max_age=10000))
    assert second["auth_time"] == first["auth_time"]
    assert second["sub"] == first["sub"]


@pytest.mark.row("AR-12")
@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize("value", ["0", "00", "1"])
def test_zero_asks_like_prompt_login(agreed: Browser, clock: Clock, value: str) -> None:
    clock.advance(5)
    page = agreed.authorize(max_age=value)
    assert SIGN_IN in page.text
    assert 'id="login-continue"' not in page.text
    response = agreed.submit(page, username="alice", password=PASSWORD)
    assert "code" in answer_of(response), "and asks once"


@pytest.mark.row("AR-12")
def test_a_person_who_takes_long_over_consent_is_not_asked_again(browser: Browser, clock: Clock) -> None:
    page = browser.submit(browser.authorize(max_age=1), username="alice", password=PASSWORD)
    clock.advance(120)
    assert "code" in answer_of(browser.submit(page, follow=False, decision="allow"))


@pytest.mark.row("AR-12")
@pytest.mark.parametrize(
    "value", ["-1", "1e9", "abc", "1.5", "+1", " 1", "0x10", "\u0661", "99999999999", "1;", "null", "9" * 400]
)
def test_what_is_no_number_of_seconds_is_refused(app: Flask, agreed: Browser, value: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, max_age=value), "invalid_request")


@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.6")
def test_with_prompt_none_too_old_is_an_error(app: Flask, agreed: Browser, clock: Clock) -> None:
    clock.advance(61)
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, prompt="none", max_age=60), "login_required")
        expect_error_redirect(agreed.authorize(follow=False, prompt="none", max_age=0), "login_required")


@pytest.mark.spec("OIDC Registration §2")
def test_a_client_may_register_a_default(agreed: Browser, clock: Clock) -> None:
    with agreed.app.app_context():
        clients.update("web", {"default_max_age": 60})
    clock.advance(61)
    assert SIGN_IN in agreed.authorize().text
    assert "code" in answer_of(agreed.authorize(follow=False, max_age=3600)), "the request decides"


@pytest.mark.row("SE-09")
def test_choosing_the_account_does_not_stand_for_the_password(agreed: Browser, clock: Clock) -> None:
    clock.advance(5)
    page = agreed.authorize(prompt="select_account", max_age=1)
    assert 'id="login-continue"' not in page.text
    assert SIGN_IN in agreed.submit(page, action="continue").text
