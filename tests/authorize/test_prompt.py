"""prompt: what the app lets the person be asked (OIDC Core §3.1.2.1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests import flows
from tests.expectations import expect_error_form, expect_error_redirect, no_effect
from tests.flows import Browser, Clock, answer_of, claims_of

PASSWORD = "correct horse battery staple"


def identity(tokens: dict[str, Any]) -> dict[str, Any]:
    return claims_of(tokens["id_token"])


@pytest.mark.row("AR-11")
@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.3", "OIDC Core §3.1.2.6")
def test_none_without_a_session_is_an_error_and_shows_nothing(app: Flask, browser: Browser) -> None:
    state = "s" * 128
    with no_effect(app):
        expect_error_redirect(
            browser.authorize(follow=False, prompt="none", state=state), "login_required", state=state
        )
        form = browser.authorize(follow=False, prompt="none", response_mode="form_post")
        expect_error_form(form, "login_required")
        for other in ({"max_age": 0}, {"login_hint": "alice"}, {"display": "page"}, {"acr_values": "1"}):
            expect_error_redirect(browser.authorize(follow=False, prompt="none", **other), "login_required")


@pytest.mark.row("AR-11", "CO-02")
@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.4", "OIDC Core §3.1.2.6")
def test_none_without_consent_is_an_error(app: Flask, alice: Browser) -> None:
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, prompt="none"), "consent_required")


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_none_with_session_and_consent_answers_in_silence(app: Flask, agreed: Browser, clock: Clock) -> None:
    first = agreed.obtain_tokens()
    clock.advance(30)
    response = agreed.authorize(follow=False, prompt="none")
    second = flows.redeem(app, answer_of(response)["code"]).json
    assert identity(second)["sub"] == identity(first)["sub"]
    assert identity(second)["auth_time"] == identity(first)["auth_time"]


@pytest.mark.row("AR-11")
@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent", "none select_account", "none none x"])
def test_none_stands_alone(app: Flask, agreed: Browser, browser: Browser, prompt: str) -> None:
    with no_effect(app):
        for someone in (agreed, browser):
            expect_error_redirect(someone.authorize(follow=False, prompt=prompt), "invalid_request")


@pytest.mark.row("AR-11")
@pytest.mark.parametrize("prompt", ["create", "LOGIN", "login,consent", "admin", "login\tconsent\x01"])
def test_an_unknown_prompt_is_an_error(app: Flask, agreed: Browser, prompt: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, prompt=prompt), "invalid_request")


@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.3")
def test_login_asks_for_the_password_again_and_the_sign_in_is_newer(app: Flask, agreed: Browser, clock: Clock) -> None:
    first = agreed.obtain_tokens()
    clock.advance(5)
    page = agreed.authorize(prompt="login")
    assert 'id="login-form"' in page.text
    assert 'id="login-continue"' not in page.text, "the session is no way around it"
    response = agreed.submit(page, username="alice", password=PASSWORD)
    second = flows.redeem(app, answer_of(response)["code"]).json
    assert identity(second)["auth_time"] >= identity(first)["auth_time"] + 5
    assert identity(second)["sub"] == identity(first)["sub"]


@pytest.mark.row("SE-09")
@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_login_cannot_be_skipped_by_what_the_browser_sends(app: Flask, agreed: Browser) -> None:
    page = agreed.authorize(prompt="login")
    transaction = flows.form_of(page.text)[1]["transaction"]
    assert agreed.get(f"/authorize?transaction={transaction}").location == f"/login?transaction={transaction}"
    assert agreed.get(f"/consent?transaction={transaction}").location == f"/login?transaction={transaction}"
    assert agreed.submit(page, follow=False, action="continue").location == f"/authorize?transaction={transaction}"
    assert agreed.get(f"/authorize?transaction={transaction}").location == f"/login?transaction={transaction}"
    assert 'id="login-form"' in agreed.get(f"/login?transaction={transaction}").text


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_login_without_a_session_asks_once(browser: Browser) -> None:
    page = browser.submit(browser.authorize(prompt="login"), username="alice", password=PASSWORD)
    assert "code" in answer_of(browser.submit(page, follow=False, decision="allow"))


@pytest.mark.row("CO-02")
@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.4")
def test_consent_is_asked_for_although_it_is_remembered(agreed: Browser) -> None:
    assert "code" in answer_of(agreed.authorize(follow=False))
    for _ in range(2):
        page = agreed.authorize(prompt="consent")
        assert 'id="consent-allow"' in page.text
        assert "code" in answer_of(agreed.submit(page, follow=False, decision="allow"))


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_login_and_consent_together_ask_for_both(agreed: Browser) -> None:
    page = agreed.authorize(prompt="login consent")
    assert 'id="login-form"' in page.text
    page = agreed.submit(page, username="alice", password=PASSWORD)
    assert 'id="consent-allow"' in page.text
    assert "code" in answer_of(agreed.submit(page, follow=False, decision="allow"))


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_select_account_offers_the_signed_in_person_and_others(app: Flask, agreed: Browser) -> None:
    page = agreed.authorize(prompt="select_account")
    assert 'id="login-continue"' in page.text
    assert 'id="login-form"' in page.text
    assert "Alice Liddell" in page.text
    response = agreed.submit(page, action="continue")
    assert "code" in answer_of(response)

    page = agreed.authorize(prompt="select_account")
    transaction = flows.form_of(page.text)[1]["transaction"]
    assert agreed.get(f"/authorize?transaction={transaction}").location == f"/login?transaction={transaction}"
    page = agreed.submit(page, username="bob", password=PASSWORD)
    assert 'id="consent-allow"' in page.text and "bob@example.test" in page.text
    tokens = flows.redeem(app, answer_of(agreed.submit(page, follow=False, decision="allow"))["code"]).json
    assert flows.userinfo(app, tokens["access_token"]).json["email"] == "bob@example.test"


@pytest.mark.row("SE-09")
def test_continue_as_needs_somebody_who_is_signed_in(app: Flask, browser: Browser) -> None:
    page = browser.authorize(prompt="select_account")
    assert 'id="login-continue"' not in page.text
    response = browser.submit(page, action="continue")
    assert response.status_code == 401
    assert 'id="login-form"' in response.text


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_select_account_with_login_takes_the_password(agreed: Browser) -> None:
    page = agreed.authorize(prompt="login select_account")
    assert 'id="login-continue"' not in page.text
    response = agreed.submit(page, username="alice", password=PASSWORD)
    assert "code" in answer_of(response)


def test_prompt_counts_without_openid_too(app: Flask, browser: Browser) -> None:
    api = {"scope": "photos:read", "resource": "https://api.photos.example/"}
    with no_effect(app):
        expect_error_redirect(browser.authorize(follow=False, prompt="none", **api), "login_required")


def test_discovery_lists_the_prompts(browser: Browser) -> None:
    metadata = browser.get("/.well-known/openid-configuration").json
    assert set(metadata["prompt_values_supported"]) == {"none", "login", "consent", "select_account"}
