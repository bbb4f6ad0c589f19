"""POST /authorize: from another site, without cookies, and it ends as a GET would (OIDC Core §3.1.2.1)."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import flows
from tests.expectations import ISSUER, expect_error_redirect, expect_page, no_effect
from tests.flows import Browser, answer_of, request_of

PASSWORD = "correct horse battery staple"
CROSS_SITE = {"Origin": "https://photos.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def post(machine: FlaskClient, **parameters: object) -> TestResponse:
    """What a browser sends when a form of another site leads here: SameSite=Lax holds its cookies back."""
    return machine.post("/authorize", data=request_of(**parameters), headers=CROSS_SITE, base_url=ISSUER)


@pytest.mark.spec("OIDC Core §3.1.2.1", "RFC 6749 §3.1")
def test_it_ends_well_after_the_sign_in(app: Flask, machine: FlaskClient, browser: Browser) -> None:
    response = post(machine, state="posted", nonce="n-posted")
    assert response.status_code == 303
    assert "Set-Cookie" not in response.headers, "a new cookie would throw away the one that was held back"
    page = browser.follow(response)
    assert 'id="login-form"' in page.text
    page = browser.submit(page, username="alice", password=PASSWORD)
    answer = answer_of(browser.submit(page, follow=False, decision="allow"))
    assert answer["state"] == "posted"
    tokens = flows.redeem(app, answer["code"]).json
    assert flows.claims_of(tokens["id_token"])["nonce"] == "n-posted"


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_it_finds_the_session_that_is_there(machine: FlaskClient, agreed: Browser) -> None:
    assert "code" in answer_of(agreed.follow(post(machine)))
    assert "code" in answer_of(agreed.follow(post(machine, prompt="none")))
    assert 'id="login-form"' in agreed.follow(post(machine, prompt="login")).text
    assert 'id="form-post"' in agreed.follow(post(machine, response_mode="form_post")).text


def test_from_our_own_site_it_brings_its_cookies_and_works_too(agreed: Browser) -> None:
    assert "code" in answer_of(agreed.follow(agreed.post("/authorize", request_of())))


@pytest.mark.spec("OIDC Core §3.1.2.6")
def test_errors_leave_as_from_a_get(app: Flask, machine: FlaskClient, browser: Browser) -> None:
    with no_effect(app):
        expect_error_redirect(post(machine, scope="no-such"), "invalid_scope")
        expect_error_redirect(post(machine, response_type="token"), "unsupported_response_type")
        expect_page(post(machine, redirect_uri="https://evil.example/"), "invalid_request")
        expect_page(post(machine, client_id="nobody"), "invalid_client")
        expect_page(machine.post("/authorize", base_url=ISSUER))
        expect_error_redirect(browser.follow(post(machine, prompt="none")), "login_required")


@pytest.mark.row("AR-25")
def test_the_first_browser_that_goes_on_keeps_it(app: Flask, machine: FlaskClient, alice: Browser) -> None:
    response = post(machine)
    page = alice.follow(response)
    assert 'id="consent-allow"' in page.text
    stranger = Browser(app)
    stranger.sign_in("bob")
    with no_effect(app):
        expect_page(stranger.get(flows.path_of(response.location)), "invalid_request", never=("The web app",))
    assert "code" in answer_of(alice.submit(page, follow=False, decision="allow"))


@pytest.mark.row("HT-09")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(app: Flask, agreed: Browser, method: str) -> None:
    with no_effect(app):
        response = agreed.client.open("/authorize", method=method, data=request_of(), base_url=ISSUER)
        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}
        override = {"X-HTTP-Method-Override": method}
        assert agreed.client.get("/authorize", headers=override, base_url=ISSUER).status_code == 400
