"""The mail that proves an address: its link, its code, and what becomes of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server import registrations
from oidc_server.accounts import store as accounts

from .. import flows, mailbox

GOOD = "a quiet walk along the river"
CAROL = "carol@example.test"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(sign_up="open")


@pytest.fixture
def carol(app: Flask) -> flows.Browser:
    """Carol's browser, just after she signed up."""
    browser = flows.Browser(app)
    browser.submit(browser.get("/signup"), email=CAROL, password=GOOD)
    return browser


def is_verified(app: Flask, login: str = CAROL) -> bool:
    with app.app_context():
        account = accounts.find_by_login(login)
        return account is not None and account.email_verified


@pytest.mark.row("RC-08", "WB-10")
def test_following_the_link_confirms_nothing_before_the_button_is_pressed(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    scanner = flows.Browser(app)
    for _ in range(3):
        assert scanner.get(mail.path).status_code == 200
        assert scanner.client.head(mail.path, base_url=flows.base_url(app)).status_code == 200
    assert not is_verified(app)

    response = carol.submit(carol.get(mail.path))

    assert "Your address is confirmed" in response.text
    assert "link=" not in response.request.full_path
    assert is_verified(app)


@pytest.mark.row("RC-02", "RC-09")
def test_the_link_works_once_and_its_page_says_so_afterwards(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    page = carol.get(mail.path)
    carol.submit(page)

    assert carol.submit(page).status_code == 410
    again = carol.get(mail.path)
    assert again.status_code == 410
    assert "This link was used" in again.text and 'id="verify-on"' in again.text


def test_the_code_confirms_where_the_mail_was_asked_for(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    handle = carol.get("/account")  # the page with the code can be left and found again
    assert handle.status_code == 200
    page = carol.submit(carol.get("/verify"), action="again", email=CAROL)
    newest = mailbox.newest(app, CAROL)
    assert newest.code != mail.code

    assert carol.submit(page, code=mail.code).status_code == 422  # a newer mail took its place
    assert "is confirmed" in carol.submit(page, code=f" {newest.code[:4]}-{newest.code[4:]} ").text


@pytest.mark.row("BF-09", "SE-11")
def test_five_wrong_codes_end_the_code_but_not_the_link(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    page = carol.submit(carol.get("/verify"), action="again", email=CAROL)
    mail = mailbox.newest(app, CAROL)
    wrong = f"{(int(mail.code) + 1) % 10**8:08}"

    statuses = [carol.submit(page, code=wrong).status_code for _ in range(5)]
    assert statuses == [422] * 4 + [400]
    last = carol.submit(page, code=mail.code)
    assert last.status_code == 400 and "Too many wrong codes" in last.text
    assert not is_verified(app)

    carol.submit(carol.get(mail.path))
    assert is_verified(app)


@pytest.mark.row("RC-14")
def test_the_link_ends_to_the_second(app: Flask, clock: flows.Clock) -> None:
    browser = flows.Browser(app)
    browser.submit(browser.get("/signup"), email=CAROL, password=GOOD)
    mail = mailbox.newest(app, CAROL)

    clock.advance(86400 - 5)
    assert browser.get(mail.path).status_code == 200
    clock.advance(6)
    ended = browser.get(mail.path)
    assert ended.status_code == 410
    assert "does not work any more" in ended.text and 'id="verify-again"' in ended.text


def test_an_unknown_link_finds_a_page_with_a_button_for_a_new_mail(app: Flask, carol: flows.Browser) -> None:
    response = carol.get("/verify?link=" + "x" * 43)
    assert response.status_code == 400
    assert 'id="verify-again"' in response.text

    response = carol.submit(response, action="again")

    assert 'id="verify-code"' in response.text
    assert len(mailbox.of(app, CAROL)) == 2


# Whose sign-up it was.


@pytest.mark.row("RC-10")
def test_in_another_browser_the_click_alone_confirms_nobody_elses_sign_up(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    phone = flows.Browser(app)
    page = phone.get(mail.path)
    assert 'id="verify-password"' in page.text

    assert phone.submit(page).status_code == 401
    assert phone.submit(page, password="what a stranger would guess").status_code == 401
    assert not is_verified(app)
    response = phone.submit(page, password=GOOD)

    assert "is confirmed" in response.text
    assert is_verified(app)
    assert phone.get("/account").status_code == 303  # confirmed, not signed in


@pytest.mark.row("RC-10")
def test_the_owner_of_the_address_removes_the_account_that_a_stranger_made_with_it(
    app: Flask, carol: flows.Browser
) -> None:
    mail = mailbox.newest(app, CAROL)
    owner = flows.Browser(app)
    page = owner.get(mail.path)

    response = owner.submit(page, action="disown")

    assert "The account was removed" in response.text
    with app.app_context():
        assert accounts.find_by_login(CAROL) is None
    assert carol.get("/account").status_code == 303  # the stranger is out
    assert owner.get(mail.path).status_code == 410


def test_a_confirmed_account_cannot_be_disowned(app: Flask, carol: flows.Browser) -> None:
    carol.submit(carol.get(mailbox.newest(app, CAROL).path))
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        handle = registrations.begin_verification(account)
    assert handle
    page = flows.Browser(app)
    form = page.get(mailbox.newest(app, CAROL).path)
    assert 'id="verify-disown"' not in form.text

    page.submit(form, action="disown")

    assert is_verified(app)


@pytest.mark.row("RC-03")
def test_a_link_for_an_address_that_the_account_has_no_more_confirms_nothing(app: Flask, carol: flows.Browser) -> None:
    mail = mailbox.newest(app, CAROL)
    change = carol_changes_to(app, "new@example.test")
    carol.submit(carol.get(change.path))

    assert carol.submit(carol.get(mail.path)).status_code == 410


def carol_changes_to(app: Flask, address: str) -> mailbox.Mail:
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        registrations.begin_email_change(account, address)
    return mailbox.newest(app, address)


# require_verified_email.


@pytest.fixture
def strict(make_app: Callable[..., Flask]) -> Flask:
    return make_app(sign_up="open", require_verified_email=True)


def sign_up(browser: flows.Browser, page: Any = None) -> Any:
    return browser.submit(page or browser.get("/signup"), email=CAROL, password=GOOD)


def test_where_it_is_required_nobody_is_signed_in_before_the_mail_is_answered(strict: Flask) -> None:
    browser = flows.Browser(strict)
    page = sign_up(browser)
    assert 'id="verify-code"' in page.text
    assert browser.get("/account").status_code == 303

    response = browser.submit(page, code=mailbox.newest(strict, CAROL).code)

    assert "is confirmed" in response.text
    assert browser.get("/account").status_code == 200


def test_where_it_is_required_the_app_gets_its_answer_after_the_code(strict: Flask) -> None:
    browser = flows.Browser(strict)
    page = sign_up(browser, browser.authorize(prompt="create"))
    assert "The web app" in page.text

    response = browser.submit(page, code=mailbox.newest(strict, CAROL).code)

    assert 'id="consent-allow"' in response.text


def test_where_it_is_required_signing_in_leads_to_a_new_mail_and_no_session(strict: Flask) -> None:
    sign_up(flows.Browser(strict))
    browser = flows.Browser(strict)

    page = browser.submit(browser.get("/login"), username=CAROL, password=GOOD)

    assert 'id="verify-code"' in page.text
    assert browser.get("/account").status_code == 303
    assert len(mailbox.of(strict, CAROL, "verify_email")) == 2
    response = browser.submit(page, code=mailbox.newest(strict, CAROL).code)
    assert 'href="/login"' in response.text
    browser.sign_in(CAROL, GOOD)


@pytest.mark.row("BF-06", "SE-14")
def test_where_it_is_required_the_password_grant_is_closed_too(strict: Flask) -> None:
    sign_up(flows.Browser(strict))

    response = flows.token_request(
        strict, "machine", grant_type="password", username=CAROL, password=GOOD, scope="photos:read"
    )

    assert (response.status_code, response.json["error"]) == (400, "invalid_grant")


def test_the_link_signs_in_nobody_but_the_browser_that_signed_up(strict: Flask) -> None:
    sign_up(flows.Browser(strict))
    other = flows.Browser(strict)
    page = other.get(mailbox.newest(strict, CAROL).path)

    other.submit(page, password=GOOD)

    assert is_verified(strict)
    assert other.get("/account").status_code == 303


@pytest.mark.row("RC-07")
def test_asking_again_says_the_same_for_everybody_and_writes_to_whom_it_concerns(
    app: Flask, carol: flows.Browser
) -> None:
    before = len(mailbox.of(app))
    answers = []
    for address in (CAROL, "nobody@example.test", "alice@example.test"):
        browser = flows.Browser(app)
        answers.append(browser.submit(browser.get("/verify"), action="again", email=address))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({len(answer.text) for answer in answers}) == 1
    assert len(mailbox.of(app)) == before + 1
    assert mailbox.newest(app, CAROL).kind == "verify_email"


@pytest.mark.row("RC-07")
def test_a_mailbox_is_not_flooded_and_keeps_a_link_that_works(app: Flask, clock: flows.Clock) -> None:
    browser = flows.Browser(app)
    browser.submit(browser.get("/signup"), email=CAROL, password=GOOD)
    for _ in range(30):
        browser.submit(browser.get("/verify"), action="again", email=CAROL)

    mails = mailbox.of(app, CAROL)
    assert len(mails) == 2
    browser.submit(browser.get(mails[-1].path))
    assert is_verified(app)
