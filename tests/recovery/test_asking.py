"""Asking for a new password tells nobody who has an account, and floods no mailbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import store as accounts

from .. import flows, mailbox
from ..timing import PEOPLE, Door, require_no_difference

ALICE = "alice@example.test"


def ask(app: Flask, login: str, browser: flows.Browser | None = None) -> TestResponse:
    browser = browser or flows.Browser(app)
    return browser.submit(browser.get("/recover"), login=login)


def disable(app: Flask, login: str) -> None:
    with app.app_context():
        account = accounts.find_by_login(login)
        assert account is not None
        accounts.disable(account.id)


@pytest.mark.row("EN-03", "EN-01")
def test_the_answer_is_the_same_for_every_name(app: Flask) -> None:
    disable(app, "bob")
    with app.app_context():
        accounts.create("mailless", "a password that is long enough")
    answers = [
        ask(app, login) for login in ("alice", ALICE, "nobody", "nobody@example.test", "bob", "mailless", "' OR 1=1")
    ]

    assert {(one.status_code, len(one.text), tuple(sorted(one.headers.keys()))) for one in answers} == {
        (200, len(answers[0].text), tuple(sorted(answers[0].headers.keys())))
    }
    assert [(mail.kind, mail.to) for mail in mailbox.of(app)] == [
        ("reset_password", ALICE),
        ("reset_password", ALICE),
        ("no_account", "nobody@example.test"),
    ]


@pytest.mark.row("EN-03")
@pytest.mark.parametrize("login", ["alice", "nobody", "nobody@example.test"])
def test_wrong_codes_are_answered_the_same_for_every_name(app: Flask, login: str) -> None:
    browser = flows.Browser(app)
    page = ask(app, login, browser)

    assert [browser.submit(page, code="00000000").status_code for _ in range(6)] == [422] * 4 + [400] * 2


@pytest.mark.row("EN-08", "RC-02", "RC-15")
def test_the_mail_has_a_link_of_256_random_bits_and_a_code_and_the_page_neither(app: Flask) -> None:
    page = ask(app, "alice")
    mail = mailbox.newest(app, ALICE)
    secret = mail.path.removeprefix("/reset?link=")

    assert len(secret) == 43 and len(mail.code) == 8
    assert secret not in page.text and mail.code not in page.text
    handle = flows.form_of(page.text)[1]["request"]
    assert handle not in mail.text
    assert flows.Browser(app).get(f"/reset?link={handle}").status_code == 400


@pytest.mark.row("RC-01")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "evil.example"},
        {"X-Original-Host": "evil.example"},
    ],
)
def test_the_link_leads_to_the_issuer_whatever_the_request_says(app: Flask, headers: dict[str, str]) -> None:
    browser = flows.Browser(app)
    _, fields = flows.form_of(browser.get("/recover").text)

    browser.post("/recover", data=fields | {"login": "alice"}, headers=headers)

    mail = mailbox.newest(app, ALICE)
    assert "evil" not in mail.text + mail.html
    assert mail.path.startswith("/reset?link=")


@pytest.mark.row("RC-01")
def test_a_request_with_another_host_writes_no_mail(app: Flask) -> None:
    browser = flows.Browser(app)
    _, fields = flows.form_of(browser.get("/recover").text)

    response = browser.client.post("/recover", data=fields | {"login": "alice"}, base_url="https://evil.example")

    assert response.status_code in (400, 421)
    assert mailbox.of(app) == []


@pytest.mark.row("RC-07")
def test_a_thousand_requests_write_few_mails_and_leave_a_link_that_works(app: Flask) -> None:
    answers = {ask(app, login).status_code for login in ("alice", ALICE, "ALICE", "Alice@EXAMPLE.test") * 6}

    mails = mailbox.of(app, ALICE)
    assert answers == {200}
    assert len(mails) == 2
    assert flows.Browser(app).get(mails[-1].path).status_code == 200


@pytest.mark.row("RC-07", "BF-04")
def test_a_stranger_who_never_stops_asking_leaves_the_owner_a_link_at_every_moment(
    app: Flask, clock: flows.Clock
) -> None:
    for _ in range(18):
        for _ in range(4):
            ask(app, "alice")
        clock.advance(600)
        newest = mailbox.newest(app, ALICE)
        assert flows.Browser(app).get(newest.path).status_code == 200
    assert len(mailbox.of(app, ALICE)) <= 18


@pytest.mark.row("RC-07", "BF-02")
def test_a_network_asks_so_often_and_no_more(make_app: Callable[..., Flask]) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_recover="3/minute")

    answers = [ask(app, f"name{number}") for number in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["Retry-After"]) > 0
    assert 'value="name3"' in answers[3].text


def test_nothing_typed_is_told_at_the_field(app: Flask) -> None:
    response = ask(app, "   ")
    assert response.status_code == 422
    assert 'id="recover-login-problem"' in response.text


@pytest.mark.row("WB-09")
def test_a_form_of_another_browser_asks_for_nothing(app: Flask) -> None:
    _, fields = flows.form_of(flows.Browser(app).get("/recover").text)

    assert flows.Browser(app).post("/recover", data=fields | {"login": "alice"}).status_code == 403
    assert mailbox.of(app) == []


@pytest.mark.row("ID-06", "RC-12")
@pytest.mark.parametrize("login", ["alice@example.test\r\nBcc: x@y.z", "a\u202e@example.test", "x" * 254])
def test_what_no_address_can_be_sends_nothing(app: Flask, login: str) -> None:
    assert ask(app, login).status_code == 200
    assert mailbox.of(app) == []


def test_the_mail_speaks_the_language_of_the_person_else_of_the_page(app: Flask) -> None:
    browser = flows.Browser(app)
    page = browser.get("/recover", headers={"Accept-Language": "fr"})
    action, fields = flows.form_of(page.text)
    for login in ("alice", "bob"):  # Alice's account says en-GB
        browser.post(action, data=fields | {"login": login}, headers={"Accept-Language": "fr"})

    assert mailbox.newest(app, ALICE).language.startswith("en")
    assert mailbox.newest(app, "bob@example.test").language == "fr"


@pytest.mark.thorough
@pytest.mark.row("EN-03")
@pytest.mark.parametrize("unknown", ["nobody{}", "nobody{}@example.test"])
def test_f_22_asking_takes_as_long_for_unknown_people_as_for_known_ones(app: Flask, unknown: str) -> None:
    """The figure F-22 for the door of recovery."""
    with app.app_context():
        for number in range(PEOPLE):
            accounts.create(f"known{number}", email=f"known{number}@example.test")
    browser = flows.Browser(app)
    _, fields = flows.form_of(browser.get("/recover").text)

    def door(name: str, among: int) -> Door:
        return lambda number: browser.post("/recover", data=fields | {"login": name.format(number % among)})

    known = "known{}" + unknown.removeprefix("nobody{}")
    require_no_difference(f"recovery, {unknown}", door(known, PEOPLE), door(unknown, PEOPLE))
