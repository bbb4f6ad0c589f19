"""Two tabs, reloads, the back button, double clicks, prefetching: what people and browsers do without thinking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import flows
from tests.expectations import expect_page, no_effect, rows_of
from tests.flows import Browser, Clock, answer_of, form_of

PASSWORD = "correct horse battery staple"
APPS = ("web", "other")


def sign_in_at(browser: Browser, page: TestResponse) -> TestResponse:
    return browser.submit(page, username="alice", password=PASSWORD)


def open_tab(browser: Browser, client_id: str) -> TestResponse:
    return browser.authorize(client_id=client_id, state=f"state of {client_id}", nonce=f"nonce of {client_id}")


def expect_its_own_answer(app: Flask, response: TestResponse, client_id: str) -> None:
    """The answer went to this app, with its state, and the code is good for it alone."""
    assert response.status_code == 303, response.text
    assert response.location.startswith(flows.REDIRECT_URIS[client_id] + "?")
    answer = answer_of(response)
    assert answer["state"] == f"state of {client_id}"
    stranger = "other" if client_id == "web" else "web"
    assert flows.redeem(app, answer["code"], client_id=stranger).json["error"] == "invalid_grant"
    tokens = flows.redeem(app, answer["code"], client_id=client_id).json
    claims = flows.claims_of(tokens["id_token"])
    assert (claims["aud"], claims["nonce"]) == (client_id, f"nonce of {client_id}")


@pytest.mark.row("SE-08")
@pytest.mark.parametrize("finished_first", APPS)
def test_two_tabs_of_two_apps_each_get_their_own_answer(app: Flask, browser: Browser, finished_first: str) -> None:
    pages = {client_id: open_tab(browser, client_id) for client_id in APPS}
    first = finished_first
    second = "other" if first == "web" else "web"
    pages[first] = sign_in_at(browser, pages[first])
    pages[second] = sign_in_at(browser, pages[second])
    assert f"The {second} app" in pages[second].text
    for client_id in (second, first):
        expect_its_own_answer(app, browser.submit(pages[client_id], decision="allow"), client_id)


@pytest.mark.row("SE-08")
@pytest.mark.parametrize("how", ["reload", "form without a password", "form"])
def test_the_tab_left_open_goes_on_after_the_other_one_signed_in(app: Flask, browser: Browser, how: str) -> None:
    left_open = open_tab(browser, "other")
    expect_its_own_answer(app, browser.submit(sign_in_at(browser, open_tab(browser, "web")), decision="allow"), "web")
    transaction = form_of(left_open.text)[1]["transaction"]
    if how == "form":
        consent = sign_in_at(browser, left_open)
    else:
        if how != "reload":
            refused = browser.submit(left_open, username="", password="")
            assert refused.status_code == 401
        consent = browser.follow(browser.get(f"/login?transaction={transaction}"))
    assert 'id="consent-allow"' in consent.text
    expect_its_own_answer(app, browser.submit(consent, decision="allow"), "other")


@pytest.mark.row("SE-08")
def test_what_one_tab_denies_the_other_still_gets(app: Flask, alice: Browser) -> None:
    pages = {client_id: open_tab(alice, client_id) for client_id in APPS}
    denied = answer_of(alice.submit(pages["web"], decision="deny"))
    assert (denied["error"], denied["state"]) == ("access_denied", "state of web")
    expect_its_own_answer(app, alice.submit(pages["other"], decision="allow"), "other")


@pytest.mark.row("SE-08")
def test_the_same_request_open_in_two_tabs_is_answered_once(app: Flask, browser: Browser) -> None:
    page = open_tab(browser, "web")
    copied = browser.get("/login?transaction=" + form_of(page.text)[1]["transaction"])
    consent, same_consent = sign_in_at(browser, page), sign_in_at(browser, copied)
    expect_its_own_answer(app, browser.submit(same_consent, decision="allow"), "web")
    with no_effect(app):
        page_again = browser.submit(consent, decision="allow")
        expect_page(page_again, "invalid_request", status=403)
        assert "Go back to the app and sign in again." in page_again.text


@pytest.mark.row("SE-08")
def test_two_requests_of_one_app_with_one_state_are_two_requests(app: Flask, alice: Browser) -> None:
    first, second = alice.authorize(), alice.authorize()
    codes = {answer_of(alice.submit(page, decision="allow"))["code"] for page in (first, second)}
    assert len(codes) == 2
    assert [flows.redeem(app, code).status_code for code in codes] == [200, 200]


def test_a_double_click_on_allow_gives_one_code_and_a_page_that_says_what_to_do(app: Flask, alice: Browser) -> None:
    page = alice.authorize()
    assert "code" in answer_of(alice.submit(page, decision="allow"))
    assert rows_of(app, "authorization_code") == 1
    with no_effect(app):
        second = alice.submit(page, decision="allow")
        expect_page(second, "invalid_request", status=403)
        assert "This sign-in has ended" in second.text


@pytest.mark.parametrize("path", ["/authorize", "/login", "/consent"])
def test_back_after_consent_shows_a_page_and_gives_nothing(app: Flask, alice: Browser, path: str) -> None:
    page = alice.authorize()
    alice.submit(page, decision="allow")
    with no_effect(app):
        back = alice.get(f"{path}?transaction={form_of(page.text)[1]['transaction']}")
        expect_page(back, "invalid_request")
        assert "Go back to the app and sign in again." in back.text


def test_back_to_the_request_itself_asks_for_a_new_code(app: Flask, agreed: Browser) -> None:
    answers = [answer_of(agreed.authorize(follow=False)) for _ in range(2)]
    assert answers[0]["code"] != answers[1]["code"]
    assert [flows.redeem(app, answer["code"]).status_code for answer in answers] == [200, 200]


def test_the_pages_of_a_request_can_be_reloaded_as_often_as_one_likes(app: Flask, browser: Browser) -> None:
    transaction = form_of(open_tab(browser, "web").text)[1]["transaction"]
    for path in ("/login", "/authorize", "/consent", "/login"):
        page = browser.follow(browser.get(f"{path}?transaction={transaction}"))
        assert 'id="login-form"' in page.text
        assert form_of(page.text)[1]["transaction"] == transaction
    sign_in_at(browser, page)
    for path in ("/consent", "/authorize", "/login", "/consent"):
        page = browser.follow(browser.get(f"{path}?transaction={transaction}"))
        assert 'id="consent-allow"' in page.text
    assert rows_of(app, "authorization_request") == 1
    expect_its_own_answer(app, browser.submit(page, decision="allow"), "web")


@pytest.mark.parametrize("path", ["/authorize", "/login", "/consent"])
def test_a_request_that_waited_too_long_says_what_to_do(app: Flask, browser: Browser, clock: Clock, path: str) -> None:
    page = open_tab(browser, "web")
    clock.advance(901)
    with no_effect(app):
        ended = browser.get(f"{path}?transaction={form_of(page.text)[1]['transaction']}")
        expect_page(ended, "invalid_request")
        assert "Go back to the app and sign in again." in ended.text
        expect_page(browser.submit(page, username="alice", password=PASSWORD), "invalid_request")


@pytest.mark.row("AR-25")
@pytest.mark.parametrize("path", ["/authorize", "/login", "/consent"])
def test_the_link_is_worth_nothing_in_another_browser(app: Flask, browser: Browser, alice: Browser, path: str) -> None:
    transaction = form_of(open_tab(browser, "web").text)[1]["transaction"]
    with no_effect(app):
        for visitor in (alice, Browser(app)):
            expect_page(visitor.get(f"{path}?transaction={transaction}"), "invalid_request")
    assert 'id="login-form"' in browser.get(f"/login?transaction={transaction}").text


@pytest.mark.row("AR-24")
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
    ],
)
def test_a_browser_that_looks_ahead_consumes_nothing(
    app: Flask, agreed: Browser, method: str, headers: dict[str, str]
) -> None:
    waiting = agreed.authorize(client_id="other")
    transaction = form_of(waiting.text)[1]["transaction"]
    own = "/authorize?" + urlencode(flows.request_of())
    with no_effect(app):
        for url in (own, f"/authorize?transaction={transaction}", own.replace("client_id=web", "client_id=other")):
            response = agreed.client.open(url, method=method, headers=headers, base_url=flows.base_url(app))
            assert response.status_code == 204
            assert "Location" not in response.headers
    assert "code" in answer_of(agreed.submit(waiting, decision="allow"))


@pytest.mark.row("AR-24")
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_looking_at_the_pages_of_a_request_decides_nothing(app: Flask, alice: Browser, method: str) -> None:
    page = alice.authorize()
    transaction = form_of(page.text)[1]["transaction"]
    with no_effect(app):
        for url in (f"/consent?transaction={transaction}", f"/login?transaction={transaction}", "/logout", "/login"):
            response = alice.client.open(url, method=method, base_url=flows.base_url(app))
            assert response.status_code in (200, 204, 303)
            assert "code=" not in response.headers.get("Location", "")
    assert "code" in answer_of(alice.submit(page, decision="allow"))


NEXT = ("//evil.example", "/\\evil.example", "/%09/evil.example", "https:evil.example", "/x//..//evil.example")
NEXT += ("https://evil.example/", "\thttps://evil.example", "/login@evil.example", "javascript:alert(1)")


@pytest.mark.row("RU-23")
@pytest.mark.parametrize("target", NEXT)
@pytest.mark.parametrize("name", ["next", "return_to", "continue", "redirect_uri", "url"])
def test_no_parameter_chooses_where_the_sign_in_page_leads(app: Flask, target: str, name: str) -> None:
    browser = Browser(app)
    page = browser.get("/login", query_string={name: target})
    assert page.status_code == 200
    assert "evil.example" not in page.text and "javascript:" not in page.text
    action, fields = form_of(page.text)
    assert action == "/login"
    values: dict[str, Any] = fields | {"username": "alice", "password": PASSWORD, name: target}
    response = browser.post("/login", values)
    assert (response.status_code, response.location) in [(303, "/account"), (303, "/login")]


@pytest.mark.row("RU-23")
@pytest.mark.parametrize("target", NEXT)
def test_no_parameter_chooses_where_the_other_pages_lead(app: Flask, alice: Browser, target: str) -> None:
    for path in ("/logged-out", "/logout"):
        page = alice.get(path, query_string={"next": target, "post_logout_redirect_uri": target})
        assert page.status_code == 200
        assert not page.headers.get("Location")
    assert alice.get("/", query_string={"next": target}).headers.get("Location") is None
    confirmed = alice.submit(alice.get("/logout", query_string={"next": target}), follow=False, decision="confirm")
    assert (confirmed.status_code, confirmed.location) == (303, "/logged-out")
