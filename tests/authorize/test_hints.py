"""id_token_hint and login_hint say whom the app means. Neither signs anybody in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests import flows
from tests.expectations import ISSUER, expect_error_redirect, expect_page, no_effect
from tests.flows import Browser, Clock, answer_of, claims_of

PASSWORD = "correct horse battery staple"


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    return alice.obtain_tokens()


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_the_hint_of_the_signed_in_person_is_answered_in_silence(
    app: Flask, alice: Browser, tokens: dict[str, Any], clock: Clock
) -> None:
    clock.advance(3600)  # the hint has expired; it is a hint all the same
    response = alice.authorize(follow=False, prompt="none", id_token_hint=tokens["id_token"])
    again = flows.redeem(app, answer_of(response)["code"]).json
    first, second = claims_of(tokens["id_token"]), claims_of(again["id_token"])
    assert second["sub"] == first["sub"]
    assert second["auth_time"] == first["auth_time"]


@pytest.mark.row("AR-13")
@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §3.1.2.2")
def test_the_hint_of_another_person_is_refused(app: Flask, browser: Browser, tokens: dict[str, Any]) -> None:
    browser.sign_in("bob")
    with no_effect(app):
        refused = browser.authorize(follow=False, prompt="none", id_token_hint=tokens["id_token"])
        expect_error_redirect(refused, "login_required")


@pytest.mark.row("AR-13")
@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_without_a_session_the_hint_signs_nobody_in(app: Flask, browser: Browser, tokens: dict[str, Any]) -> None:
    hint = tokens["id_token"]
    with no_effect(app):
        expect_error_redirect(browser.authorize(follow=False, prompt="none", id_token_hint=hint), "login_required")
    assert 'id="login-form"' in browser.authorize(id_token_hint=hint).text


@pytest.mark.row("AR-13")
@pytest.mark.spec("OIDC Core §3.1.2.2")
def test_somebody_else_who_signs_in_is_not_passed_off_as_the_one_meant(
    app: Flask, browser: Browser, tokens: dict[str, Any]
) -> None:
    page = browser.authorize(id_token_hint=tokens["id_token"])
    expect_error_redirect(browser.submit(page, username="bob", password=PASSWORD), "login_required")
    page = browser.authorize(id_token_hint=tokens["id_token"])
    assert 'id="login-form"' in page.text, "bob is signed in, alice is meant"
    assert "code" in answer_of(browser.submit(page, username="alice", password=PASSWORD))


def forged(id_token: str, **changes: Any) -> dict[str, str]:
    """What an attacker can make of an ID token."""
    header, payload, signature = id_token.split(".")
    claims = claims_of(id_token) | changes
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    key = RSAKey.generate_key(2048)
    foreign = jwt.encode({"alg": "RS256", "typ": "JWT", "kid": flows.header_of(id_token)["kid"]}, claims, key)
    return {
        "unsigned": f"{none}.{payload}.",
        "changed": f"{header}.{body}.{signature}",
        "foreign key": foreign,
        "cut": id_token[:-4],
        "no token": "not-a-token",
        "padding": id_token + "==",
        "twice": f"{id_token}.{id_token}",
    }


@pytest.mark.row("AR-13")
@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_a_hint_that_is_no_id_token_of_ours_is_refused(app: Flask, alice: Browser, tokens: dict[str, Any]) -> None:
    made = forged(tokens["id_token"], name="Mallory")
    made |= {f"issuer, {name}": hint for name, hint in forged(tokens["id_token"], iss="https://other.example").items()}
    made["access token"] = tokens["access_token"]
    made["refresh token"] = tokens["refresh_token"]
    with no_effect(app):
        for name, hint in made.items():
            refused = alice.authorize(follow=False, id_token_hint=hint, prompt="none")
            assert expect_error_redirect(refused, "invalid_request"), name
            expect_error_redirect(alice.authorize(follow=False, id_token_hint=hint), "invalid_request")


@pytest.mark.row("AR-14", "EN-06")
@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize("hint", ["alice", "buffy@id.example.test", "nobody", "\u6f22\u5b57", "a" * 2000])
def test_a_login_hint_is_written_into_the_form_and_tells_nothing(app: Flask, hint: str) -> None:
    page = Browser(app).authorize(login_hint=hint)
    assert page.status_code == 200
    assert f'value="{hint[:254]}"' in page.text
    assert hint[:255] not in page.text or len(hint) <= 254
    known = Browser(app).authorize(login_hint="alice")
    assert len(page.text) - len(hint[:254]) == len(known.text) - len("alice"), "as long for a stranger as for alice"


@pytest.mark.row("AR-14", "WB-01", "WB-03")
@pytest.mark.parametrize(
    "hint", ['"><script>alert(1)</script>', "' onfocus=alert(1) autofocus='", "{{7*7}}", "{%import os%}"]
)
def test_markup_in_a_login_hint_stays_text(browser: Browser, hint: str) -> None:
    page = browser.authorize(login_hint=hint)
    assert "<script>alert" not in page.text
    assert ' value="49"' not in page.text
    assert "' onfocus=" not in page.text


@pytest.mark.row("AR-14")
def test_a_login_hint_of_absurd_length_is_not_stored(app: Flask, browser: Browser) -> None:
    with no_effect(app):
        expect_page(browser.authorize(follow=False, login_hint="x" * 9000), never=("xxxx",))
        expect_page(browser.authorize(follow=False, login_hint="x" * 100_000), status=414, never=("xxxx",))


@pytest.mark.row("AR-14")
def test_a_login_hint_does_not_decide_who_is_signed_in(alice: Browser) -> None:
    alice.obtain_code()
    tokens = alice.obtain_tokens(login_hint="bob")
    assert flows.userinfo(alice.app, tokens["access_token"]).json["email"] == "alice@example.test"
    assert claims_of(tokens["id_token"])["iss"] == ISSUER
