"""Who sees an account page, and by what way they come to it."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from tests.flows import Browser, Clock

from ..conftest import PASSWORD

SECTIONS = [
    "",
    "/profile",
    "/email",
    "/password",
    "/sessions",
    "/apps",
    "/activity",
    "/data",
    "/data/delete",
    "/secure",
]
NEED_PROOF = ["/password", "/data/delete"]


@pytest.mark.parametrize("section", SECTIONS)
def test_nobody_is_sent_to_sign_in_and_comes_back_to_the_page(browser: Browser, section: str) -> None:
    path = f"/account{section}"
    sent = browser.get(path)
    assert (sent.status_code, sent.location) == (303, f"/login?then={path}")
    page = browser.submit(browser.get(sent.location), follow=False, username="alice", password=PASSWORD)
    assert (page.status_code, page.location) == (303, path)
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_is_a_page_that_nobody_keeps_and_names_itself_in_the_navigation(
    alice: Browser, section: str
) -> None:
    page = alice.get(f"/account{section}")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "alice@example.test" in page.text
    current = section.rsplit("/", 1)[0] if section.count("/") > 1 else section
    expected = 0 if section == "/secure" else 1
    assert page.text.count(f'href="/account{current}" aria-current="page"') == expected


def test_signing_in_without_an_app_leads_to_the_account(browser: Browser) -> None:
    sent = browser.submit(browser.get("/login"), follow=False, username="alice", password=PASSWORD)
    assert (sent.status_code, sent.location) == (303, "/account")
    again = browser.get("/login")
    assert (again.status_code, again.location) == (303, "/account")


@pytest.mark.row("RU-23")
@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/account",
        "//evil.example",
        "/account/../token",
        "/account//evil.example",
        "/account?x=1",
        "/account/%2e%2e",
        "/accounts",
        "/Account",
        "/account/",
        "/account\\evil",
        "/account/apps\n",
        "/authorize",
        "javascript:alert(1)",
        "/account/" + "a" * 200,
    ],
)
def test_the_way_back_is_an_account_page_and_nothing_else(app: Flask, then: str) -> None:
    for browser, is_signed_in in ((Browser(app), False), (Browser(app), True)):
        if is_signed_in:
            browser.sign_in()
            sent = browser.get("/login", query_string={"then": then})
        else:
            page = browser.get("/login")
            fields = browser.submit(page, follow=False, username="alice", password=PASSWORD, then=then)
            sent = fields
        assert (sent.status_code, sent.location) == (303, "/account")


@pytest.mark.row("SE-12")
@pytest.mark.parametrize("section", NEED_PROOF)
def test_what_an_open_browser_must_not_do_asks_for_a_fresh_sign_in_and_says_why(
    alice: Browser, clock: Clock, section: str
) -> None:
    path = f"/account{section}"
    clock.advance(15 * 60 + 1)
    sent = alice.get(path)
    assert (sent.status_code, sent.location) == (303, f"/login?then={path}&prompt=login")
    page = alice.get(sent.location)
    assert page.status_code == 200
    assert "so that nobody else at this device can change your account" in page.text
    assert 'value="alice"' in page.text
    done = alice.submit(page, follow=False, username="alice", password=PASSWORD)
    assert (done.status_code, done.location) == (303, path)
    assert alice.get(path).status_code == 200


@pytest.mark.row("SE-12")
def test_a_wrong_password_in_between_keeps_the_way_back(alice: Browser, clock: Clock) -> None:
    clock.advance(3600)
    page = alice.get("/login?then=/account/password&prompt=login")
    wrong = alice.submit(page, follow=False, username="alice", password="wrong")
    assert wrong.status_code == 401
    done = alice.submit(wrong, follow=False, username="alice", password=PASSWORD)
    assert (done.status_code, done.location) == (303, "/account/password")


@pytest.mark.row("SE-12")
def test_visits_do_not_make_a_sign_in_young_again(alice: Browser, clock: Clock) -> None:
    for _ in range(4):
        clock.advance(5 * 60)
        assert alice.get("/account").status_code == 200
    assert alice.get("/account/password").status_code == 303


@pytest.mark.row("WB-08")
@pytest.mark.parametrize(
    "path", ["/account/x.css", "/account;.js", "/account/profile/x.png", "/account%2f.css", "/account/"]
)
def test_no_address_beside_a_page_shows_it(alice: Browser, path: str) -> None:
    assert alice.get(path).status_code == 404


@pytest.mark.row("SE-14")
def test_a_disabled_account_has_no_pages(app: Flask, alice: Browser) -> None:
    assert app.test_cli_runner().invoke(args=["accounts", "disable", "alice"]).exit_code == 0
    sent = alice.get("/account")
    assert (sent.status_code, sent.location) == (303, "/login?then=/account")


@pytest.mark.row("WB-02", "WB-03")
def test_a_name_is_shown_as_the_text_that_it_is(app: Flask) -> None:
    with app.app_context():
        accounts.create("mallory", PASSWORD, claims={"name": "<b>{{7*7}}</b>"})
    browser = Browser(app)
    browser.sign_in("mallory")
    text = browser.get("/account").text
    assert "<b>" not in text
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in text
