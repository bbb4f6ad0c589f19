"""Requests that say something twice, nothing, or what this server does not do: refused at the app's own address."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import expect_error_form, expect_error_redirect, expect_page, no_effect
from tests.flows import Browser, answer_of, request_of


@pytest.mark.row("AR-01")
@pytest.mark.spec("RFC 6749 §3.1.1", "OIDC Core §3.1.2.1")
@pytest.mark.parametrize("absent", [None, ""])
def test_the_response_type_is_required(app: Flask, agreed: Browser, browser: Browser, absent: str | None) -> None:
    with no_effect(app):
        for someone in (agreed, browser):
            expect_error_redirect(someone.authorize(follow=False, response_type=absent), "invalid_request")
            form = someone.authorize(follow=False, response_type=absent, response_mode="form_post")
            expect_error_form(form, "invalid_request")


@pytest.mark.row("AR-02", "AR-18")
@pytest.mark.spec("RFC 6749 §4.1.2.1", "RFC 9700 §2.1.2")
@pytest.mark.parametrize(
    "response_type",
    ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none"],
)
@pytest.mark.parametrize("nonce", ["a-nonce", None])
def test_tokens_never_come_through_the_browser(
    app: Flask, agreed: Browser, browser: Browser, response_type: str, nonce: str | None
) -> None:
    with no_effect(app):
        for someone in (agreed, browser):
            refused = someone.authorize(follow=False, response_type=response_type, nonce=nonce)
            expect_error_redirect(refused, "unsupported_response_type")
            for mode in ("fragment", "query"):
                refused = someone.authorize(follow=False, response_type=response_type, response_mode=mode, nonce=nonce)
                error = "unsupported_response_type" if mode == "query" else "invalid_request"
                expect_error_redirect(refused, error)


@pytest.mark.row("AR-02")
def test_a_parked_request_cannot_be_resumed_with_another_response_type(app: Flask, browser: Browser) -> None:
    transaction = browser.authorize(follow=False).location.rpartition("=")[2]
    with no_effect(app):
        for extra in ("response_type=token", "response_mode=fragment", "scope=photos:read", "prompt=none"):
            response = browser.get(f"/authorize?transaction={transaction}&{extra}")
            assert response.location == f"/login?transaction={transaction}"


@pytest.mark.row("AR-02")
def test_a_client_without_the_code_grant_gets_no_code(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"grant_types": ["client_credentials"], "response_types": []})
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False), "unauthorized_client")


@pytest.mark.row("AR-03")
@pytest.mark.parametrize(
    "response_type",
    ["code code", "CODE", "code\tid_token", "code ", " code", "code\n", "co", "c\u043ede", "code,token"],
)
def test_a_response_type_is_the_exact_word(app: Flask, agreed: Browser, response_type: str) -> None:
    with no_effect(app):
        refused = agreed.authorize(follow=False, response_type=response_type)
        expect_error_redirect(refused, "unsupported_response_type")


@pytest.mark.row("AR-04")
@pytest.mark.spec("OAuth 2.0 Multiple Response Types §2.1")
@pytest.mark.parametrize(
    "mode",
    [
        "fragment",
        "query.jwt",
        "form_post.jwt",
        "jwt",
        "web_message",
        "FORM_POST",
        "query fragment",
        "okta_post_message",
    ],
)
def test_an_unknown_response_mode_is_refused_in_the_default_one(app: Flask, agreed: Browser, mode: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, response_mode=mode), "invalid_request")
        expect_page(agreed.authorize(follow=False, response_mode=mode, redirect_uri="https://evil.example/"))


@pytest.mark.row("AR-04", "RU-24")
def test_only_a_web_address_can_be_posted_to(app: Flask, alice: Browser) -> None:
    uri = "com.example.app:/cb"
    with app.app_context():
        flows.register("phone", token_endpoint_auth_method="none", redirect_uris=[uri])
    with no_effect(app):
        refused = alice.authorize(follow=False, client_id="phone", redirect_uri=uri, response_mode="form_post")
        expect_error_redirect(refused, "invalid_request", redirect_uri=uri)


SINGLE = [
    *("response_type", "scope", "state", "nonce", "response_mode", "prompt", "max_age", "display", "ui_locales"),
    *("claims_locales", "id_token_hint", "login_hint", "acr_values", "claims", "code_challenge"),
    *("code_challenge_method", "request", "request_uri", "an-unknown-parameter"),
]


@pytest.mark.row("AR-05", "PK-07")
@pytest.mark.spec("RFC 6749 §3.1")
@pytest.mark.parametrize("name", SINGLE)
def test_no_parameter_is_sent_twice(app: Flask, agreed: Browser, name: str) -> None:
    good = request_of()
    pairs = [*good.items(), (name, good.get(name, "x")), *([] if name in good else [(name, "y")])]
    with no_effect(app):
        expect_error_redirect(agreed.get("/authorize?" + urlencode(pairs)), "invalid_request")
        response = agreed.post("/authorize", urlencode(pairs), content_type="application/x-www-form-urlencoded")
        expect_error_redirect(response, "invalid_request")


@pytest.mark.row("AR-05")
def test_an_empty_second_value_is_a_second_value(app: Flask, agreed: Browser) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.get(f"/authorize?{urlencode(request_of())}&nonce="), "invalid_request")


@pytest.mark.row("AR-06", "HT-01")
def test_a_post_with_a_query_is_refused(app: Flask, agreed: Browser) -> None:
    with no_effect(app):
        for query in ("scope=openid", "state=x", "x=1", "client_id=web"):
            expect_page(agreed.post(f"/authorize?{query}", request_of()), "invalid_request")
        response = agreed.client.get(
            "/authorize?" + urlencode(request_of()), data=b"scope=address", base_url="https://id.example.test"
        )
        expect_page(response, "invalid_request")


@pytest.mark.row("HT-02")
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_post_is_a_form_or_nothing(app: Flask, agreed: Browser, content_type: str) -> None:
    with no_effect(app):
        expect_page(agreed.post("/authorize", urlencode(request_of()), content_type=content_type))


@pytest.mark.row("AR-07")
@pytest.mark.spec("RFC 6749 §3.1")
def test_a_parameter_without_a_value_counts_as_left_out(agreed: Browser) -> None:
    empty: dict[str, Any] = dict.fromkeys(
        ("nonce", "prompt", "max_age", "response_mode", "display", "claims", "id_token_hint", "request", "resource"), ""
    )
    assert "code" in answer_of(agreed.authorize(follow=False, **empty))
    expect_error_redirect(agreed.authorize(follow=False, code_challenge=""), "invalid_request")
    expect_page(agreed.authorize(follow=False, client_id=""), "invalid_client")


@pytest.mark.row("AR-01", "RU-02")
@pytest.mark.parametrize("name", ["request", "request_uri", "registration"])
@pytest.mark.spec("OIDC Core §3.1.2.6")
def test_request_objects_are_refused_in_their_own_words(app: Flask, agreed: Browser, name: str) -> None:
    with no_effect(app):
        value = "http://169.254.169.254/latest" if name == "request_uri" else "eyJhbGciOiJub25lIn0.e30."
        expect_error_redirect(agreed.authorize(follow=False, **{name: value}), f"{name}_not_supported")
        refused = agreed.authorize(follow=False, **{name: value, "response_mode": "form_post"})
        expect_error_form(refused, f"{name}_not_supported")
        expect_page(agreed.authorize(follow=False, **{name: value, "redirect_uri": "https://evil.example/"}))


@pytest.mark.row("PJ-13")
def test_a_request_uri_is_never_fetched(app: Flask, agreed: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}/request"
        expect_error_redirect(agreed.authorize(follow=False, request_uri=uri), "request_uri_not_supported")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_discovery_says_that_request_objects_are_not_supported(agreed: Browser) -> None:
    metadata = agreed.get("/.well-known/openid-configuration").json
    assert metadata["request_parameter_supported"] is False
    assert metadata["request_uri_parameter_supported"] is False
    assert "request_object_signing_alg_values_supported" not in metadata
