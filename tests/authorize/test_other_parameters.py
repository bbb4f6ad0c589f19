"""Parameters that change little, or nothing: none of them is ever a reason to fail."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import digest
from tests.flows import Browser, answer_of, claims_of, request_of

PASSWORD = "correct horse battery staple"


@pytest.mark.spec("OIDC Core §3.1.2.1", "RFC 6749 §3.1")
@pytest.mark.parametrize(
    "more",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "touch"},
        {"display": "wap"},
        {"display": "hologram"},
        {"ui_locales": "se"},
        {"ui_locales": "fr-CA fr en"},
        {"ui_locales": "../../etc/passwd {{7*7}} <script>"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"acr_values": "urn:mace:incommon:iap:gold"},
        {"extra": "foobar"},
        {"nonce": None},
        {"state": None},
        {"response_mode": "query"},
        {"vtr": "Cl", "purpose": "x" * 1000, "audience": "https://api"},
    ],
    ids=str,
)
def test_the_request_goes_through_all_the_same(browser: Browser, more: dict[str, Any]) -> None:
    page = browser.authorize(**more)
    assert 'id="login-form"' in page.text
    page = browser.submit(page, username="alice", password=PASSWORD)
    assert 'id="consent-allow"' in page.text
    code = answer_of(browser.submit(page, follow=False, decision="allow"))["code"]
    tokens = flows.redeem(browser.app, code).json
    assert claims_of(tokens["id_token"]).get("nonce") == more.get("nonce", "a-nonce")
    assert claims_of(tokens["id_token"])["acr"] == "1", "the one that happened"


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_scopes_and_parameters_come_in_any_order(app: Flask, alice: Browser) -> None:
    parameters = list(reversed(request_of(scope="email openid").items()))
    page = alice.follow(alice.get("/authorize?" + urlencode(parameters)))
    code = answer_of(alice.submit(page, follow=False, decision="allow"))["code"]
    tokens = flows.redeem(app, code).json
    assert flows.userinfo(app, tokens["access_token"]).json["email"] == "alice@example.test"


@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §2")
@pytest.mark.parametrize("nonce", ["n" * 64, "n" * 128, "n" * 4096, "a b+c&d=%20\u00fc\U0001f600", "0"], ids=len)
def test_the_nonce_comes_back_as_it_was_sent(alice: Browser, nonce: str) -> None:
    assert claims_of(alice.obtain_tokens(nonce=nonce)["id_token"])["nonce"] == nonce


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_the_same_nonce_twice_is_no_error(alice: Browser) -> None:
    first, second = alice.obtain_tokens(nonce="same"), alice.obtain_tokens(nonce="same")
    assert claims_of(first["id_token"])["nonce"] == claims_of(second["id_token"])["nonce"]


@pytest.mark.row("AR-17")
def test_a_flood_of_locales_leaves_nothing_behind(app: Flask, agreed: Browser) -> None:
    chosen = random.Random(7)
    sizes = {name: len(rows) for name, rows in digest(app).items()}
    pages = set()
    for _ in range(60):
        locale = "".join(chosen.choices("abcdefghijklmnopqrstuvwxyz-_", k=12))
        response = agreed.authorize(prompt="none", ui_locales=locale, claims_locales=locale, scope="openid address")
        assert answer_of(response)["error"] == "consent_required"
        page = agreed.get(f"/login?ui_locales={locale}")
        pages.add(page.text.partition("<form")[0])
        assert locale not in page.text
    assert len(pages) == 1
    assert {name: len(rows) for name, rows in digest(app).items()} == sizes
    assert len(app.jinja_env.cache or ()) < 50


def test_discovery_names_only_locales_that_exist(browser: Browser) -> None:
    metadata = browser.get("/.well-known/openid-configuration").json
    assert metadata["ui_locales_supported"] == ["en", "de", "fr", "es", "ja", "ar"]


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_a_popup_can_still_be_seen_by_the_window_that_opened_it(app: Flask, browser: Browser) -> None:
    page = browser.authorize(display="popup", response_mode="form_post")
    assert "Cross-Origin-Opener-Policy" not in page.headers
    page = browser.submit(page, username="alice", password=PASSWORD)
    assert "Cross-Origin-Opener-Policy" not in page.headers
    answer = browser.submit(page, follow=False, decision="allow")
    assert 'id="form-post"' in answer.text
    assert "Cross-Origin-Opener-Policy" not in answer.headers
    assert browser.authorize(prompt="login").headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.spec("OIDC Core §3.1.2.4")
def test_a_trusted_client_asks_for_no_consent(app: Flask, browser: Browser) -> None:
    with app.app_context():
        clients.update("web", {}, is_trusted=True)
    response = browser.submit(browser.authorize(scope="openid offline_access"), username="alice", password=PASSWORD)
    assert "code" in answer_of(response)
    assert "code" in answer_of(browser.authorize(follow=False, prompt="none"))
    assert 'id="consent-allow"' in browser.authorize(prompt="consent").text, "unless the app wants it to be asked"
