"""The response mode form_post: a page of ours that posts the answer to the app (OAuth 2.0 Form Post Response Mode)."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests import flows
from tests.expectations import ISSUER, expect_error_form, expect_page, no_effect, posted_form
from tests.flows import Browser

CALLBACK = "https://photos.example/callback"
NASTY = ["a b", '"><script>alert(1)</script>', "'&amp;&lt;\u00fc\U0001f600", "{{7*7}}", "%20+%0A", "x" * 1000]


@pytest.mark.spec("Form Post Response Mode §2", "RFC 9207 §2")
def test_a_code_is_posted(app: Flask, agreed: Browser) -> None:
    response = agreed.authorize(follow=False, response_mode="form_post")
    action, pairs = posted_form(response)
    assert action == CALLBACK
    assert [name for name, _ in pairs] == ["code", "state", "iss"]
    answer = dict(pairs)
    assert (answer["state"], answer["iss"]) == ("a-state", ISSUER)
    assert "Location" not in response.headers
    assert flows.redeem(app, answer["code"]).status_code == 200


@pytest.mark.spec("Form Post Response Mode §2")
def test_it_lasts_through_sign_in_and_consent(browser: Browser) -> None:
    page = browser.submit(
        browser.authorize(response_mode="form_post"), username="alice", password="correct horse battery staple"
    )
    assert 'id="consent-allow"' in page.text
    assert "code" in dict(posted_form(browser.submit(page, follow=False, decision="allow"))[1])


@pytest.mark.spec("Form Post Response Mode §2", "OIDC Core §3.1.2.6")
def test_every_error_is_posted_too(app: Flask, agreed: Browser, browser: Browser) -> None:
    mode = {"response_mode": "form_post"}
    with no_effect(app):
        for error, more in {
            "invalid_scope": {"scope": "no-such"},
            "unsupported_response_type": {"response_type": "token"},
            "invalid_request": {"code_challenge": "x"},
            "invalid_target": {"resource": "https://x.example/"},
            "request_not_supported": {"request": "x"},
            "consent_required": {"prompt": "none", "scope": "openid address"},
        }.items():
            expect_error_form(agreed.authorize(follow=False, **mode, **more), error)
        expect_error_form(browser.authorize(follow=False, prompt="none", **mode), "login_required")
    expect_error_form(browser.submit(browser.authorize(**mode), action="cancel"), "access_denied")
    page = agreed.authorize(prompt="consent", **mode)
    expect_error_form(agreed.submit(page, follow=False, decision="deny"), "access_denied")


@pytest.mark.row("RU-24", "WB-01", "WB-03")
@pytest.mark.parametrize("state", NASTY, ids=range(len(NASTY)))
def test_a_hostile_state_stays_a_value(agreed: Browser, state: str) -> None:
    response = agreed.authorize(follow=False, response_mode="form_post", state=state)
    assert dict(posted_form(response)[1])["state"] == state
    assert "<script>alert" not in response.text
    expect_error_form(
        agreed.authorize(follow=False, response_mode="form_post", state=state, scope="x"), "invalid_scope", state=state
    )


@pytest.mark.row("RU-24", "WB-13")
def test_the_page_of_the_code_leads_to_the_app_alone_and_loads_nothing_of_others(agreed: Browser) -> None:
    response = agreed.authorize(follow=False, response_mode="form_post")
    policy = dict(part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";"))
    assert set(policy["form-action"].split()) <= {"'self'", "https://photos.example"}
    assert "https://photos.example" in policy["form-action"]
    assert policy["script-src"] == "'self'"
    assert policy["img-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"""(src|href)=["'](https?:)?//""", response.text)
    assert not re.search(r"\son\w+=|<script(?![^>]*\ssrc=)|javascript:", response.text), "no inline script"
    assert '<button class="button primary">Continue</button>' in response.text, "works without scripts"


@pytest.mark.row("RU-24")
@pytest.mark.parametrize("uri", ["https://evil.example/", "javascript:alert(1)", 'https://photos.example/callback"><x'])
def test_a_hostile_address_is_a_page_and_no_form(app: Flask, agreed: Browser, uri: str) -> None:
    with no_effect(app):
        response = agreed.authorize(follow=False, response_mode="form_post", redirect_uri=uri)
        expect_page(response, "invalid_request", never=("form-post", "evil.example", "alert(1)", '"><x'))


@pytest.mark.spec("Form Post Response Mode §2")
def test_the_query_of_the_registered_address_stays_in_the_action(app: Flask, alice: Browser) -> None:
    uri = "https://app.example/cb?tenant=a&x=%20"
    with app.app_context():
        flows.register("queried", redirect_uris=[uri])
    page = alice.authorize(client_id="queried", redirect_uri=uri, response_mode="form_post")
    action, pairs = posted_form(alice.submit(page, follow=False, decision="allow"))
    assert action == uri
    assert "code" in dict(pairs)


def test_discovery_lists_the_mode(browser: Browser) -> None:
    metadata = browser.get("/.well-known/openid-configuration").json
    assert metadata["response_modes_supported"] == ["query", "form_post"]


def test_a_posted_request_can_be_answered_by_a_post(agreed: Browser) -> None:
    body = urlencode(flows.request_of(response_mode="form_post"))
    response = agreed.follow(agreed.post("/authorize", body, content_type="application/x-www-form-urlencoded"))
    assert "code" in dict(posted_form(response)[1])
