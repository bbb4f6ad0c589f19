"""Consent: who is asked, what the page says, what is remembered, and whose click counts (OIDC Core §3.1.2.4)."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import audited, expect_error_redirect, no_effect
from tests.flows import Browser, answer_of

API = "https://api.photos.example/"
ASKED = 'id="consent-allow"'


@pytest.mark.row("CO-02")
@pytest.mark.spec("OIDC Core §3.1.2.4", "RFC 8252 §8.6")
@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "com.example.app:/cb"])
def test_a_native_app_is_never_answered_in_silence(app: Flask, alice: Browser, uri: str) -> None:
    with app.app_context():
        flows.register("native", token_endpoint_auth_method="none", redirect_uris=[uri])
    for _ in range(2):
        page = alice.authorize(client_id="native", redirect_uri=uri)
        assert ASKED in page.text
        assert "code" in answer_of(alice.submit(page, follow=False, decision="allow"))
    refused = alice.authorize(follow=False, client_id="native", redirect_uri=uri, prompt="none")
    expect_error_redirect(refused, "consent_required", redirect_uri=uri)


@pytest.mark.row("CO-02")
def test_a_public_web_app_is_asked_about_once(alice: Browser) -> None:
    page = alice.authorize(client_id="spa")
    assert ASKED in page.text, "a session alone is no consent"
    alice.submit(page, follow=False, decision="allow")
    assert "code" in answer_of(alice.authorize(follow=False, client_id="spa"))


@pytest.mark.row("CO-03")
@pytest.mark.spec("OIDC Core §3.1.2.4")
def test_a_new_scope_or_resource_is_asked_about(app: Flask, agreed: Browser) -> None:
    assert "code" in answer_of(agreed.authorize(follow=False, scope="openid email")), "less is covered"
    with no_effect(app):
        for more in ({"scope": "openid profile address"}, {"scope": "openid photos:read", "resource": API}):
            expect_error_redirect(agreed.authorize(follow=False, prompt="none", **more), "consent_required")
    page = agreed.authorize(scope="openid address")
    assert 'data-scope="address"' in page.text
    agreed.submit(page, follow=False, decision="allow")
    assert "code" in answer_of(agreed.authorize(follow=False, scope="openid profile email address")), (
        "both are remembered"
    )


@pytest.mark.row("CO-03")
def test_consent_is_remembered_for_this_person_and_this_app_only(app: Flask, agreed: Browser, browser: Browser) -> None:
    assert ASKED in agreed.authorize(client_id="other").text
    browser.sign_in("bob")
    assert ASKED in browser.authorize().text


@pytest.mark.row("CO-03")
def test_what_was_denied_is_not_remembered(app: Flask, alice: Browser) -> None:
    page = alice.authorize()
    refused = alice.submit(page, follow=False, decision="deny")
    expect_error_redirect(refused, "access_denied")
    assert ASKED in alice.authorize().text


@pytest.mark.spec("OIDC Core §11")
def test_access_while_away_is_asked_about_every_time(app: Flask, alice: Browser) -> None:
    scope = "openid offline_access"
    for _ in range(2):
        page = alice.authorize(scope=scope, prompt="consent")
        assert 'data-scope="offline_access"' in page.text
        assert "Access lasts until you sign out" not in page.text
        alice.submit(page, follow=False, decision="allow")
    assert ASKED in alice.authorize(scope=scope).text
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, scope=scope, prompt="none"), "consent_required")


@pytest.mark.spec("OIDC Core §11")
def test_offline_access_is_ignored_for_a_client_that_gets_no_refresh_token(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"grant_types": ["authorization_code"]})
    page = alice.authorize(scope="openid offline_access")
    assert 'data-scope="offline_access"' not in page.text
    tokens = alice.obtain_tokens(scope="openid offline_access")
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid"


@pytest.mark.row("CO-04")
def test_the_page_says_who_asks_for_what_where_to_and_until_when(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update(
            "web",
            {
                "client_uri": "https://photos.example/",
                "policy_uri": "https://photos.example/privacy",
                "tos_uri": "https://photos.example/terms",
            },
        )
    page = alice.authorize(scope="openid profile email photos:read", resource=API)
    for words in (
        "The web app",
        "photos.example",
        "Alice Liddell",
        "alice@example.test",
        "See your photos",
        "Photo API",
        "You will be sent to",
        "Access lasts until you sign out here",
        'href="https://photos.example/privacy"',
        'href="https://photos.example/terms"',
    ):
        assert words in page.text, words
    assert re.findall(r'data-scope="([^"]+)"', page.text) == ["profile", "email", "photos:read"]


@pytest.mark.row("CO-04", "WB-02", "WB-03")
def test_the_words_of_an_app_stay_words(app: Flask, alice: Browser) -> None:
    with app.app_context():
        flows.register(
            "evil", client_name='<script>alert(1)</script>{{7*7}}"', redirect_uris=["https://evil.example/cb"]
        )
    page = alice.authorize(client_id="evil", redirect_uri="https://evil.example/cb")
    assert ASKED in page.text
    assert "<script>alert" not in page.text
    assert "evil.example" in page.text, "where the person would be sent is said all the same"


@pytest.mark.row("CO-06", "AC-12", "WB-05", "WB-07")
@pytest.mark.spec("RFC 9700 §4.16", "RFC 6749 §10.13", "OIDC Core §3.1.2.3")
def test_no_page_on_the_way_can_be_framed_stored_or_overheard(browser: Browser) -> None:
    sign_in = browser.authorize()
    consent = browser.submit(sign_in, username="alice", password="correct horse battery staple")
    done = browser.submit(consent, follow=False, decision="allow")
    posted = browser.authorize(response_mode="form_post")
    error = browser.authorize(client_id="nobody")
    for response in (sign_in, consent, done, posted, error, browser.get("/login"), browser.get("/logout")):
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert not re.search(r"""(src|action)=["'](https?:)?//(?!photos\.example/callback")""", response.text)


@pytest.mark.row("LS-05")
def test_what_a_person_decides_is_on_record(alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    alice.submit(alice.authorize(), follow=False, decision="deny")
    alice.submit(alice.authorize(), follow=False, decision="allow")
    alice.authorize(follow=False, scope="no-such")
    (denied,), (given,) = audited(caplog, "consent.denied"), audited(caplog, "consent.given")
    assert denied["client_id"] == given["client_id"] == "web"
    assert denied["account_id"] == given["account_id"]
    assert given["scope"] == "openid profile email"
    assert [line["error"] for line in audited(caplog, "authorization.refused")] == ["access_denied", "invalid_scope"]
