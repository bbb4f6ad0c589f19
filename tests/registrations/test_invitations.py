"""`flask accounts invite`, and what the invited person may do with the mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts

from .. import flows, mailbox

GOOD = "a quiet walk along the river"
CAROL = "carol@example.test"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(sign_up="invitation")


def invite(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["accounts", "invite", *(arguments or ("--email", CAROL))])


def test_the_invited_person_has_the_address_confirmed_and_the_rights_that_were_meant(app: Flask) -> None:
    done = invite(app, "--email", CAROL, "--role", "editor", "--group", "photographers", "--language", "de")
    assert (done.exit_code, done.output) == (
        0,
        "Invited carol@example.test; the link in the mail works for 7 days.\n"
        "OIDC_SMTP_URL is not set, so the mail stays in the outbox; `flask mail list` shows it.\n",
    )
    mail = mailbox.newest(app, CAROL)
    assert (mail.kind, mail.language) == ("invitation", "de")
    browser = flows.Browser(app)
    page = browser.get(mail.path)
    assert f'value="{CAROL}"' in page.text and "readonly" in page.text

    browser.submit(page, password=GOOD, email="other@example.test", roles="admin")

    assert browser.get("/account").status_code == 200
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        assert (account.email_verified, account.roles, account.groups) == (True, ["editor"], ["photographers"])
        assert accounts.find_by_login("other@example.test") is None
    assert len(mailbox.of(app, CAROL)) == 1  # nothing is left to be confirmed


@pytest.mark.row("RC-09", "RC-02")
def test_an_invitation_makes_one_account(app: Flask) -> None:
    invite(app)
    mail = mailbox.newest(app, CAROL)
    browser = flows.Browser(app)
    page = browser.get(mail.path)
    browser.submit(page, password=GOOD)

    again = flows.Browser(app).get(mail.path)
    assert again.status_code == 410 and "This invitation was used" in again.text
    assert browser.submit(page, password=GOOD, username="second").status_code == 410
    with app.app_context():
        assert accounts.find_by_login("second") is None


def test_a_refused_field_leaves_the_invitation_good(app: Flask) -> None:
    invite(app)
    browser = flows.Browser(app)

    refused = browser.submit(browser.get(mailbox.newest(app, CAROL).path), password="short")
    assert refused.status_code == 422
    browser.submit(refused, password=GOOD)

    assert browser.get("/account").status_code == 200


@pytest.mark.row("RC-14")
def test_an_invitation_ends_to_the_second(app: Flask, clock: flows.Clock) -> None:
    invite(app)
    mail = mailbox.newest(app, CAROL)

    clock.advance(7 * 86400 - 5)
    assert flows.Browser(app).get(mail.path).status_code == 200
    clock.advance(6)
    assert flows.Browser(app).get(mail.path).status_code == 410


def test_a_newer_invitation_takes_the_place_of_the_older(app: Flask) -> None:
    invite(app)
    invite(app)
    older, newer = mailbox.of(app, CAROL)

    assert flows.Browser(app).get(older.path).status_code == 410
    assert flows.Browser(app).get(newer.path).status_code == 200


@pytest.mark.row("RC-08")
def test_without_an_invitation_there_is_no_form(app: Flask) -> None:
    assert flows.Browser(app).get("/signup").status_code == 403
    assert flows.Browser(app).get("/signup?invitation=" + "x" * 43).status_code == 400


def test_where_nobody_may_sign_up_nobody_is_invited_and_no_invitation_counts(make_app: Callable[..., Flask]) -> None:
    invite(make_app(sign_up="invitation"))
    closed = make_app(sign_up="off")

    refused = invite(closed)
    assert refused.exit_code == 1
    assert "OIDC_SIGN_UP" in refused.output
    assert flows.Browser(closed).get(mailbox.newest(closed, CAROL).path).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--email", "alice@example.test"), "already an account"),
        (("--email", "no address"), "not an e-mail address"),
        (("--email", CAROL, "--role", " "), "visible characters"),
    ],
)
def test_what_cannot_be_invited_is_said_in_words(app: Flask, arguments: tuple[str, ...], word: str) -> None:
    done = invite(app, *arguments)
    assert done.exit_code == 1
    assert word in done.output
    assert mailbox.of(app) == []
