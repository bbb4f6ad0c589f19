"""With `hide_accounts` nobody learns from signing up whether an address has an account; a mail tells its owner (EN-04, F-22)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import store as accounts

from .. import flows, mailbox
from ..timing import PEOPLE, Door, require_no_difference

GOOD = "a quiet walk along the river"
CAROL, ALICE = "carol@example.test", "alice@example.test"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(sign_up="open", hide_accounts=True)


def sign_up(app: Flask, email: str, **values: str) -> tuple[flows.Browser, TestResponse]:
    browser = flows.Browser(app)
    return browser, browser.submit(browser.get("/signup"), email=email, password=GOOD, **values)


def visible(response: TestResponse) -> tuple[object, ...]:
    """What a stranger can compare: the length of the text stands for it, because every page has tokens of its own."""
    names = sorted(response.headers.keys())
    return response.status_code, len(response.text), names, response.request.path


@pytest.mark.row("EN-04", "EN-01")
def test_the_answers_for_a_free_and_a_taken_address_are_the_same(app: Flask) -> None:
    _, free = sign_up(app, CAROL)
    _, taken = sign_up(app, ALICE)

    assert visible(free) == visible(taken)
    assert 'id="verify-code"' in free.text
    assert mailbox.newest(app, CAROL).kind == "verify_email"
    told = mailbox.newest(app, ALICE)
    assert told.kind == "account_exists" and told.code == ""


@pytest.mark.row("EN-04")
def test_no_code_tells_them_apart_either(app: Flask) -> None:
    answers = []
    for email in (CAROL, ALICE):
        browser, page = sign_up(app, email)
        answers.append([browser.submit(page, code="00000000").status_code for _ in range(7)])

    assert answers[0] == answers[1] == [422] * 4 + [400] * 3


@pytest.mark.row("EN-04", "RC-10")
def test_nobody_signs_in_with_an_account_whose_mail_was_not_answered(app: Flask) -> None:
    sign_up(app, CAROL)
    sign_up(app, ALICE)

    answers = []
    for email in (CAROL, ALICE):
        browser = flows.Browser(app)
        answers.append(browser.submit(browser.get("/login"), username=email, password=GOOD))
    assert [answer.status_code for answer in answers] == [401, 401]
    with app.app_context():
        assert accounts.find_by_login(CAROL) is None


def test_the_answered_mail_makes_the_account_and_signs_in(app: Flask) -> None:
    browser, page = sign_up(app, CAROL, name="Carol")

    response = browser.submit(page, code=mailbox.newest(app, CAROL).code)

    assert "is confirmed" in response.text
    assert browser.get("/account").status_code == 200
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        assert account.email_verified and account.claims == {"name": "Carol"}
        assert account.username.startswith("carol-")  # the number says nothing about other carols


def test_a_user_name_that_somebody_has_is_not_told_either(app: Flask) -> None:
    _, free = sign_up(app, CAROL, username="captain")
    browser, taken = sign_up(app, "dave@example.test", username="alice")
    assert visible(free) == visible(taken)

    browser.submit(taken, code=mailbox.newest(app, "dave@example.test").code)

    with app.app_context():
        account = accounts.find_by_login("dave@example.test")
        assert account is not None and account.username.startswith("alice-")


@pytest.mark.row("RC-10")
def test_in_another_browser_the_link_asks_for_the_password_of_the_sign_up(app: Flask) -> None:
    sign_up(app, CAROL)
    owner = flows.Browser(app)
    page = owner.get(mailbox.newest(app, CAROL).path)

    assert owner.submit(page, password="not what the stranger chose").status_code == 401
    with app.app_context():
        assert accounts.find_by_login(CAROL) is None
    assert "is confirmed" in owner.submit(page, password=GOOD).text


@pytest.mark.row("RC-07")
def test_a_stranger_who_keeps_signing_up_does_not_end_the_link_of_the_owner(app: Flask) -> None:
    browser, _page = sign_up(app, CAROL)
    for _ in range(10):
        sign_up(app, CAROL)

    mails = mailbox.of(app, CAROL)
    assert len(mails) == 2
    assert browser.get(mails[-1].path).status_code == 200


@pytest.mark.thorough
@pytest.mark.row("EN-04")
def test_f_22_sign_up_takes_as_long_for_a_free_address_as_for_a_taken_one(app: Flask) -> None:
    """The figure F-22 for the door of sign-up."""
    with app.app_context():
        for number in range(PEOPLE):
            accounts.create(f"known{number}", email=f"known{number}@example.test")
    browser = flows.Browser(app)
    _, fields = flows.form_of(browser.get("/signup").text)

    def attempt(kind: str) -> Door:
        def post(number: int) -> TestResponse:
            return browser.post("/signup", data=fields | {"email": f"{kind}{number}@example.test", "password": GOOD})

        return post

    require_no_difference("sign-up", attempt("known"), attempt("empty"))
