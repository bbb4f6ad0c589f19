"""Who may ask, for what, and for which resource."""

from __future__ import annotations

import time

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from oidc_server.resources import store as resources
from tests import flows
from tests.expectations import expect_error_redirect, expect_page, no_effect, readable
from tests.flows import Browser, answer_of, claims_of

API = "https://api.photos.example/"


@pytest.mark.row("AR-09")
@pytest.mark.spec("RFC 6749 §4.1.2.1")
def test_unknown_and_disabled_clients_look_the_same(app: Flask, agreed: Browser) -> None:
    with app.app_context():
        clients.update("other", {}, is_disabled=True)
    texts = []
    with no_effect(app):
        for client_id in ("other", "no-such-client"):
            response = agreed.authorize(follow=False, client_id=client_id)
            reference = expect_page(response, "invalid_client", never=(client_id, "other.example"))
            texts.append(readable(response).replace(reference, ""))
    assert texts[0] == texts[1]


@pytest.mark.row("AR-09", "WB-01", "HT-11")
@pytest.mark.parametrize(
    "client_id",
    ["<script>alert(1)</script>", "web\0", "web ", "WEB", "web'--", "x" * 300, "\u202eweb", "{{7*191}}", "../web"],
)
def test_a_strange_client_id_is_an_unknown_one(app: Flask, agreed: Browser, client_id: str) -> None:
    with no_effect(app):
        expect_page(agreed.authorize(follow=False, client_id=client_id), never=("<script>alert", "1337", client_id))


@pytest.mark.row("AR-09")
def test_a_client_disabled_meanwhile_gets_nothing(app: Flask, browser: Browser) -> None:
    page = browser.submit(browser.authorize(), username="alice", password="correct horse battery staple")
    with app.app_context():
        clients.update("web", {}, is_disabled=True)
    with no_effect(app):
        expect_page(browser.submit(page, follow=False, decision="allow"), "invalid_client")


@pytest.mark.row("AR-10")
@pytest.mark.spec("RFC 6749 §3.3", "RFC 6749 §4.1.2.1")
@pytest.mark.parametrize(
    "scope",
    [
        "openid admin",
        "openid photos:delete",
        "openid profile,email",
        "openid\tprofile",
        "openid\nprofile",
        "openid \x01",
        'openid "',
        "openid \\",
        "openid \u00fc",
        "openid  profile",
        " openid",
        "OPENID",
        "openid profile photos:read",  # has no meaning at the server's own resource
    ],
)
def test_a_scope_that_may_not_be_asked_for_is_refused(app: Flask, agreed: Browser, scope: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, scope=scope), "invalid_scope")


@pytest.mark.row("AR-10")
@pytest.mark.parametrize(
    "scope", [" ".join(f"s{n}" for n in range(10_000)), " ".join(["openid"] * 500), "openid " + "x" * 5000], ids=len
)
def test_ten_thousand_scopes_cost_nothing(app: Flask, agreed: Browser, scope: str) -> None:
    with no_effect(app):
        started = time.perf_counter()
        refused = agreed.post("/authorize", flows.request_of(scope=scope))
        assert time.perf_counter() - started < 1
        expect_error_redirect(refused, "invalid_scope")


@pytest.mark.row("AR-10")
def test_a_client_asks_within_its_own_registration(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"scope": "openid profile"})
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, scope="openid profile email"), "invalid_scope")
    assert "code" in answer_of(alice.submit(alice.authorize(scope="openid profile"), follow=False, decision="allow"))


@pytest.mark.spec("RFC 6749 §3.3")
def test_the_answer_says_which_scope_was_granted(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="email openid email")
    assert tokens["scope"] == "email openid"
    assert claims_of(tokens["access_token"])["scope"] == "email openid"


@pytest.mark.spec("RFC 6749 §3.3", "OIDC Core §3.1.2.1")
def test_without_openid_there_is_no_id_token(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="photos:read", resource=API)
    assert "id_token" not in tokens
    assert tokens["scope"] == "photos:read"


@pytest.mark.spec("RFC 6749 §3.3", "OIDC Core §3.1.2.1")
def test_a_request_without_scope_gets_what_the_client_may_ask_for_at_the_resource_but_no_id_token(
    alice: Browser,
) -> None:
    tokens = alice.obtain_tokens(scope=None, resource=API)
    assert tokens["scope"] == "photos:read photos:write"
    assert "id_token" not in tokens
    page = alice.authorize(scope=None)
    assert 'id="consent-allow"' in page.text
    code = answer_of(alice.submit(page, follow=False, decision="allow"))["code"]
    own = flows.redeem(alice.app, code).json
    assert not {"openid", "offline_access"} & set(own["scope"].split())
    assert "id_token" not in own


@pytest.mark.row("AR-22")
@pytest.mark.spec("RFC 8707 §2")
@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example/",
        "https://api.photos.example",
        "https://api.photos.example/x",
        "HTTPS://api.photos.example/",
        "https://API.photos.example/",
        "https://api.photos.example/#x",
        "https://api.photos.example/#",
        "/api",
        "api",
        "//api.photos.example/",
        "https://api.photos.example/ ",
        "https://api.photos.example/\u00fc",
        "javascript:alert(1)",
        "x" * 4000,
    ],
)
def test_an_unknown_or_malformed_resource_is_an_invalid_target(app: Flask, agreed: Browser, resource: str) -> None:
    with no_effect(app):
        scope = "openid photos:read"
        expect_error_redirect(agreed.authorize(follow=False, resource=resource, scope=scope), "invalid_target")
        mixed = agreed.authorize(follow=False, resource=[API, resource], scope=scope)
        expect_error_redirect(mixed, "invalid_target")


@pytest.mark.row("AR-22")
@pytest.mark.spec("RFC 8707 §2", "RFC 8707 §2.1")
def test_a_resource_none_of_whose_scopes_the_client_may_ask_for_is_an_invalid_target(
    app: Flask, alice: Browser
) -> None:
    with app.app_context():
        clients.update("web", {"scope": "openid profile"})
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, resource=API, scope="openid"), "invalid_target")


@pytest.mark.spec("RFC 8707 §2", "RFC 8707 §2.1")
def test_the_resource_decides_the_audience_and_several_may_be_named(app: Flask, alice: Browser) -> None:
    with app.app_context():
        resources.create("https://api.albums.example/", "Albums", {"photos:read": "See your albums"})
    both = [API, "https://api.albums.example/"]
    code = alice.obtain_code(scope="openid photos:read", resource=both)
    tokens = flows.redeem(app, code, resource="https://api.albums.example/").json
    assert claims_of(tokens["access_token"])["aud"] == "https://api.albums.example/"
    first = alice.obtain_tokens(scope="openid photos:read", resource=both)
    assert claims_of(first["access_token"])["aud"] == API


@pytest.mark.row("AR-23")
def test_authorization_details_are_an_unknown_parameter_and_not_advertised(agreed: Browser) -> None:
    assert "code" in answer_of(agreed.authorize(follow=False, authorization_details='[{"type":"x"}]'))
    metadata = agreed.get("/.well-known/oauth-authorization-server").json
    assert "authorization_details_types_supported" not in metadata
