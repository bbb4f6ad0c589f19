"""Signing out, as RP-Initiated Logout 1.0 and certification ask for it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests import flows
from tests.flows import Browser

BYE = "https://photos.example/bye"
pytestmark = pytest.mark.spec("RP-Initiated Logout §2")


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    return alice.obtain_tokens(scope="openid")


def logout(browser: Browser, **parameters: str) -> Any:
    return browser.get("/logout?" + urlencode(parameters))


def is_signed_in(browser: Browser) -> bool:
    answer = flows.answer_of(browser.authorize(scope="openid", prompt="none"))
    return "code" in answer


def test_a_hint_of_this_session_signs_out_at_once_and_leads_back_with_the_state_alone(
    alice: Browser, tokens: dict[str, Any]
) -> None:
    response = logout(alice, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="s" * 128)
    assert response.status_code == 303
    assert response.location == f"{BYE}?state={'s' * 128}"
    assert not is_signed_in(alice)


def test_without_state_nothing_is_added(alice: Browser, tokens: dict[str, Any]) -> None:
    assert logout(alice, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE).location == BYE


@pytest.mark.row("LO-01")
@pytest.mark.parametrize(
    "parameters", [{}, {"state": "x"}, {"client_id": "web"}, {"client_id": "web", "post_logout_redirect_uri": BYE}]
)
def test_without_a_hint_the_person_is_asked_first(
    alice: Browser, tokens: dict[str, Any], parameters: dict[str, str]
) -> None:
    page = logout(alice, **parameters)
    assert page.status_code == 200
    assert 'id="logout-confirm"' in page.text
    assert is_signed_in(alice)
    done = alice.submit(page, follow=False, decision="confirm")
    assert done.status_code == 303
    assert done.location == (BYE if "post_logout_redirect_uri" in parameters else done.location)
    assert not is_signed_in(alice)


def test_the_person_may_stay(alice: Browser, tokens: dict[str, Any]) -> None:
    page = alice.submit(logout(alice), decision="stay")
    assert page.status_code == 200
    assert is_signed_in(alice)


@pytest.mark.row("LO-01")
def test_a_hint_of_another_person_asks_first(app: Flask, alice: Browser) -> None:
    bob = Browser(app)
    bob.sign_in("bob")
    foreign = bob.obtain_tokens(scope="openid")["id_token"]
    page = logout(alice, id_token_hint=foreign)
    assert 'id="logout-confirm"' in page.text
    assert is_signed_in(bob)


@pytest.mark.row("LO-02", "JW-01")
def test_a_modified_hint_is_an_error_page_and_never_redirects(alice: Browser, tokens: dict[str, Any]) -> None:
    header, payload, signature = tokens["id_token"].split(".")
    for bad in (
        f"eyJhbGciOiJub25lIn0.{payload}.",
        f"{header}.{payload}.{signature[:-6]}AAAAAA",
        tokens["access_token"],
        "x",
    ):
        response = logout(alice, id_token_hint=bad, post_logout_redirect_uri=BYE)
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert 'id="oauth-error"' in response.text
    assert is_signed_in(alice)


@pytest.mark.row("LO-02")
def test_a_hint_of_another_client_is_an_error_page(alice: Browser, tokens: dict[str, Any]) -> None:
    response = logout(alice, id_token_hint=tokens["id_token"], client_id="other", post_logout_redirect_uri=BYE)
    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.row("RU-25")
@pytest.mark.spec("RP-Initiated Logout §3")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        BYE + "?foo=bar",
        BYE + "/",
        BYE + "#x",
        "https://photos.example@evil.example/bye",
        "javascript:alert(1)",
    ],
)
def test_an_unregistered_address_is_never_redirected_to(alice: Browser, tokens: dict[str, Any], uri: str) -> None:
    response = logout(alice, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri)
    assert response.location.startswith("/logged-out")
    page = alice.follow(response)
    assert 'id="logged-out"' in page.text
    assert "evil" not in page.text


def test_only_an_address_without_hint_or_client_never_redirects(alice: Browser, tokens: dict[str, Any]) -> None:
    page = logout(alice, post_logout_redirect_uri=BYE, state="x")
    assert alice.submit(page, follow=False, decision="confirm").location.startswith("/logged-out")


def test_an_expired_hint_still_counts(alice: Browser, tokens: dict[str, Any], clock: flows.Clock) -> None:
    clock.advance(3600)
    assert logout(alice, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE).location == BYE


def test_signing_out_twice_ends_well(alice: Browser, tokens: dict[str, Any]) -> None:
    for _ in range(2):
        assert logout(alice, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE).location == BYE
    assert alice.follow(logout(alice)).status_code == 200


@pytest.mark.row("LO-03")
def test_a_copied_cookie_is_dead_after_signing_out(app: Flask, alice: Browser, tokens: dict[str, Any]) -> None:
    cookie = alice.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert cookie is not None
    copied = cookie.value
    logout(alice, id_token_hint=tokens["id_token"])
    thief = Browser(app)
    thief.client.set_cookie("__Host-oidc_session", copied, domain="id.example.test", secure=True)
    assert not is_signed_in(thief)


@pytest.mark.row("WB-09", "LO-01")
def test_a_forged_confirmation_is_refused(alice: Browser, tokens: dict[str, Any]) -> None:
    response = alice.post("/logout", data={"csrf_token": "x" * 64, "decision": "confirm"})
    assert response.status_code == 403
    assert is_signed_in(alice)


def test_a_post_from_an_app_goes_on_as_a_get_with_the_cookies(
    app: Flask, alice: Browser, tokens: dict[str, Any]
) -> None:
    stranger = Browser(app)  # a cross-site POST brings no cookies
    response = stranger.post("/logout", data={"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE})
    assert response.status_code == 303
    assert alice.get(flows.path_of(response.location)).location == BYE
