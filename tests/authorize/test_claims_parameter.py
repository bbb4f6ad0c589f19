"""The `claims` parameter: single facts asked for by name (OIDC Core §5.5), with the person's consent and never more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import expect_error_redirect, expect_page, no_effect
from tests.flows import Browser, answer_of, claims_of

PASSWORD = "correct horse battery staple"


def asking(**members: Any) -> str:
    return json.dumps(members)


def tokens_for(browser: Browser, claims: str, **more: Any) -> dict[str, Any]:
    return browser.obtain_tokens(**({"scope": "openid", "claims": claims} | more))


@pytest.mark.spec("OIDC Core §5.5", "OIDC Core §5.5.1")
@pytest.mark.parametrize("how", [None, {"essential": True}, {"essential": False}, {"value": "Somebody"}, {"x": 1}])
def test_a_claim_for_userinfo_comes_there_and_not_in_the_id_token(app: Flask, alice: Browser, how: Any) -> None:
    tokens = tokens_for(alice, asking(userinfo={"name": how}))
    answer = flows.userinfo(app, tokens["access_token"]).json
    assert answer["name"] == "Alice Liddell"
    assert answer.keys() == {"sub", "name"}
    assert "name" not in claims_of(tokens["id_token"])


@pytest.mark.spec("OIDC Core §5.5")
def test_a_claim_for_the_id_token_comes_there(app: Flask, alice: Browser) -> None:
    claims = asking(id_token={"email": {"essential": True}, "nickname": None}, userinfo=None)
    tokens = tokens_for(alice, claims)
    identity = claims_of(tokens["id_token"])
    assert (identity["email"], identity["nickname"]) == ("alice@example.test", "Al")
    assert "email_verified" not in identity
    assert flows.userinfo(app, tokens["access_token"]).json.keys() == {"sub"}


@pytest.mark.spec("OIDC Core §5.5", "OIDC Core §5.5.1")
def test_what_is_unknown_or_not_there_is_left_out_without_an_error(app: Flask, browser: Browser) -> None:
    browser.sign_in("bob")
    claims = asking(
        userinfo={"name": {"essential": True}, "shoe_size": {"essential": True}, "roles": None, "name#ja": None},
        id_token={"iss": {"value": "https://evil.example"}, "roles": None, "auth_time": {"essential": True}},
        verified={"x": 1},
    )
    tokens = tokens_for(browser, claims)
    assert flows.userinfo(app, tokens["access_token"]).json.keys() == {"sub"}
    identity = claims_of(tokens["id_token"])
    assert identity["iss"] == "https://id.example.test"
    assert "roles" not in identity
    assert isinstance(identity["auth_time"], int)


@pytest.mark.row("CO-03")
@pytest.mark.spec("OIDC Core §3.1.2.4", "OIDC Core §5.5")
def test_a_person_is_asked_about_claims_as_about_scopes(app: Flask, agreed: Browser) -> None:
    claims = asking(userinfo={"phone_number": None}, id_token={"address": None})
    with no_effect(app):
        refused = agreed.authorize(follow=False, prompt="none", scope="openid", claims=claims)
        expect_error_redirect(refused, "consent_required")
    page = agreed.authorize(scope="openid", claims=claims)
    assert 'data-scope="phone"' in page.text and "+441865000000" in page.text
    assert 'data-scope="address"' in page.text and "Deanery, Oxford" in page.text
    agreed.submit(page, follow=False, decision="allow")
    again = agreed.authorize(follow=False, prompt="none", scope="openid", claims=claims)
    assert "code" in answer_of(again), "and remembered"


@pytest.mark.row("AR-10")
def test_claims_go_no_further_than_the_scopes_of_the_client(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"scope": "openid profile"})
    claims = asking(userinfo={"email": {"essential": True}, "name": None}, id_token={"email": None})
    tokens = tokens_for(alice, claims)
    assert flows.userinfo(app, tokens["access_token"]).json.keys() == {"sub", "name"}
    assert "email" not in claims_of(tokens["id_token"])


BROKEN = [
    *("{", "[]", '"x"', "1", "null", "true", "{}x", "'{}'", "{'userinfo':{}}", '{"userinfo":[]}', '{"userinfo":"x"}'),
    *('{"userinfo":{"name":true}}', '{"id_token":{"name":["x"]}}', '{"userinfo":{},"userinfo":{}}', '{"a":NaN}'),
    *('{"a":1e999}', '{"a":"\\ud800"}', "[" * 3000, '{"a":' * 1000, '{"a":' + "9" * 5000 + "}", "\ufeff{}"),
]


@pytest.mark.row("AR-15")
@pytest.mark.spec("OIDC Core §5.5")
@pytest.mark.parametrize("claims", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_claims_request_is_refused(app: Flask, agreed: Browser, claims: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.authorize(follow=False, claims=claims), "invalid_request")


@pytest.mark.row("AR-15")
@pytest.mark.parametrize("claims", ["[" * 10_000, '{"userinfo":{"x":"' + "y" * 20_000 + '"}}'], ids=len)
def test_deep_and_long_claims_are_refused_where_the_app_sees_it(app: Flask, agreed: Browser, claims: str) -> None:
    with no_effect(app):
        expect_error_redirect(agreed.post("/authorize", flows.request_of(claims=claims)), "invalid_request")


@pytest.mark.row("AR-15")
def test_a_megabyte_is_not_even_read(app: Flask, agreed: Browser) -> None:
    with no_effect(app):
        expect_page(agreed.authorize(follow=False, claims="x" * 2**20), status=414)
        expect_page(agreed.post("/authorize", flows.request_of(claims="x" * 2**20)), status=413)


@pytest.mark.row("AR-16")
@pytest.mark.spec("OIDC Core §5.5.1.1")
@pytest.mark.parametrize(
    "acr", [{"value": "3"}, {"values": ["3", "urn:mace:incommon:iap:gold"]}, {"value": 3}, {"values": "1"}]
)
def test_an_essential_acr_out_of_reach_is_an_error(app: Flask, agreed: Browser, acr: dict[str, Any]) -> None:
    claims = asking(id_token={"acr": {"essential": True, **acr}})
    with no_effect(app):
        refused = agreed.authorize(follow=False, claims=claims)
        expect_error_redirect(refused, "unmet_authentication_requirements")


@pytest.mark.row("AR-16")
@pytest.mark.spec("OIDC Core §5.5.1.1")
@pytest.mark.parametrize(
    "more",
    [
        {"claims": asking(id_token={"acr": {"values": ["2"]}})},
        {"claims": asking(id_token={"acr": {"essential": True}})},
        {"claims": asking(id_token={"acr": {"essential": True, "values": ["2", "1"]}})},
        {"claims": asking(id_token={"acr": None})},
        {"acr_values": "2 phr"},
    ],
)
def test_a_token_claims_the_acr_that_happened(alice: Browser, more: dict[str, str]) -> None:
    identity = claims_of(alice.obtain_tokens(**more)["id_token"])
    assert identity["acr"] == "1"
    assert identity["amr"] == ["pwd"]


@pytest.mark.spec("OIDC Core §3.1.2.2", "OIDC Core §5.5.1")
def test_only_the_person_asked_for_by_sub_is_answered(app: Flask, alice: Browser, browser: Browser) -> None:
    alice.obtain_code()
    with app.app_context():
        found = accounts.find_by_login("alice")
        assert found is not None
        claims = asking(id_token={"sub": {"value": found.id}})
    assert "code" in answer_of(alice.authorize(follow=False, prompt="none", claims=claims))
    other = asking(id_token={"sub": {"value": "somebody-else"}})
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, prompt="none", claims=other), "login_required")
    expect_error_redirect(
        browser.submit(browser.authorize(claims=claims), username="bob", password=PASSWORD), "login_required"
    )
