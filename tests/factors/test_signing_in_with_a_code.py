"""Signing in with a password and the code of an authenticator app."""

from __future__ import annotations

from flask import Flask

from ..flows import Browser, answer_of, claims_of, redeem
from .conftest import Phone

PASSWORD = "correct horse battery staple"


def test_a_person_with_an_app_is_asked_for_its_code_and_signs_in(app: Flask, browser: Browser, phone: Phone) -> None:
    asked = browser.submit(browser.get("/login"), username="alice", password=PASSWORD)
    assert 'id="second-factor-form"' in asked.text
    assert not browser.client.get_cookie("__Host-oidc_session", "id.example.test")
    signed_in = browser.submit(asked, code=phone.code())
    assert signed_in.status_code == 200 and signed_in.request.path == "/account"


def test_the_tokens_say_which_factors_there_were(app: Flask, browser: Browser, phone: Phone) -> None:
    asked = browser.submit(browser.authorize(), username="alice", password=PASSWORD)
    consent = browser.submit(asked, code=phone.code())
    answer = browser.submit(consent, decision="allow")
    tokens = redeem(app, answer_of(answer)["code"]).json
    claims = claims_of(tokens["id_token"])
    assert claims["acr"] == "2" and claims["amr"] == ["pwd", "otp", "mfa"]
