"""The e-mail address: confirmed, or changed, by the code of a mail that its owner got."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts.models import Account
from oidc_server.database import db, transact
from oidc_server.mail import contents
from oidc_server.mail.models import OutboxMail
from tests.flows import Browser, Clock

from .forms import account_of, hidden_fields, send, token_of

PATH, VERIFY, CODE = "/account/email", "/account/email/verify", "/account/email/code"
NEW = "alice@new.example.test"


def mails(app: Flask) -> list[tuple[str, str, str]]:
    """(kind, recipient, text) of what waits, the newest first."""
    with app.app_context():
        settings = app.extensions["oidc_server"].settings
        rows = db.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at.desc())).all()
        return [
            (row.kind, row.recipient, contents.unseal(row.sealed, row.id, settings).text) for row in rows if row.sealed
        ]


def code_in(text: str) -> str:
    found = re.search(r"\b(\d{4}) (\d{4})\b", text)
    assert found is not None, text
    return found[1] + found[2]


def ask(browser: Browser, new: str = NEW) -> TestResponse:
    return send(browser, PATH, email=new)


def answer(browser: Browser, page: TestResponse, code: str, **changes: Any) -> TestResponse:
    return browser.post(CODE, data=hidden_fields(page, CODE) | {"code": code} | changes)


def unverify(app: Flask, username: str = "alice") -> None:
    account = account_of(app, username)
    with app.app_context():
        transact(
            lambda: db.session.execute(sa.update(Account).where(Account.id == account.id).values(email_verified=False))
        )


@pytest.mark.row("RC-11")
def test_nothing_changes_before_the_new_address_answered_and_the_old_one_is_told(app: Flask, alice: Browser) -> None:
    page = ask(alice)
    assert page.status_code == 200
    assert "We sent a mail to" in page.text and NEW in page.text
    assert account_of(app).email == "alice@example.test"
    [(kind, to, text)] = mails(app)
    assert (kind, to) == ("email_change", NEW)
    done = answer(alice, page, code_in(text))
    assert (done.status_code, done.location) == (303, PATH)
    assert "This is your new address." in alice.get(PATH).text
    account = account_of(app)
    assert (account.email, account.email_verified) == (NEW, True)
    assert ("email_changed", "alice@example.test") in [(kind, to) for kind, to, _ in mails(app)]
    assert "E-mail address changed" in alice.get("/account/activity").text


def test_a_code_may_be_typed_with_spaces(app: Flask, alice: Browser) -> None:
    page = ask(alice)
    code = code_in(mails(app)[0][2])
    assert answer(alice, page, f" {code[:4]} {code[4:]} ").status_code == 303
    assert account_of(app).email == NEW


@pytest.mark.row("RC-02", "BF-09")
def test_a_wrong_code_changes_nothing_and_five_of_them_end_the_right_one(app: Flask, alice: Browser) -> None:
    page = ask(alice)
    code = code_in(mails(app)[0][2])
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(5):
        page = answer(alice, page, wrong)
        assert page.status_code == 422 and 'role="alert"' in page.text
    assert answer(alice, page, code).status_code == 422
    assert account_of(app).email == "alice@example.test"


@pytest.mark.row("RC-03")
def test_a_mail_that_somebody_else_asked_for_changes_no_account_of_mine(
    app: Flask, alice: Browser, bob: Browser
) -> None:
    page = ask(bob, "bob@new.example.test")
    fields = hidden_fields(page, CODE)
    code = code_in(mails(app)[0][2])
    own = hidden_fields(ask(alice), CODE)
    stolen = alice.post(CODE, data=own | {"handle": fields["handle"], "code": code})
    assert stolen.status_code == 422
    assert account_of(app, "alice").email == "alice@example.test"
    assert account_of(app, "bob").email == "bob@example.test"
    assert answer(bob, page, code).status_code == 303, "his own code still counts"


@pytest.mark.row("SE-12")
def test_no_other_address_long_after_the_sign_in(app: Flask, alice: Browser, clock: Clock) -> None:
    fields = token_of(alice, PATH, PATH)
    page = ask(alice)
    code = code_in(mails(app)[0][2])
    clock.advance(15 * 60 + 1)
    for path, values in ((PATH, fields | {"email": NEW}), (CODE, hidden_fields(page, CODE) | {"code": code})):
        sent = alice.post(path, data=values)
        assert (sent.status_code, sent.location) == (303, "/login?then=/account/email&prompt=login")
    assert account_of(app).email == "alice@example.test"
    assert "first show that it is you" in alice.get(PATH).text


@pytest.mark.parametrize("typed", ["", "not an address", "a@b@c.example", "alice@example.test", "bob@example.test"])
@pytest.mark.row("RC-13")
def test_an_address_that_cannot_be_used_is_refused_at_its_field(app: Flask, alice: Browser, typed: str) -> None:
    page = ask(alice, typed)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text and "This address cannot be used" in page.text
    assert mails(app) == []


def test_the_address_there_is_can_be_confirmed(app: Flask, alice: Browser) -> None:
    unverify(app)
    assert "Not confirmed" in alice.get(PATH).text
    page = send(alice, PATH, VERIFY)
    [(kind, to, text)] = mails(app)
    assert (kind, to) == ("verify_email", "alice@example.test")
    assert answer(alice, page, code_in(text)).status_code == 303
    assert account_of(app).email_verified
    assert "Your address is confirmed." in alice.get(PATH).text


@pytest.mark.row("RC-03", "RC-10")
def test_nobody_confirms_their_address_by_the_mail_of_another(app: Flask, alice: Browser, bob: Browser) -> None:
    for who in ("alice", "bob"):
        unverify(app, who)
    hers = send(alice, PATH, VERIFY)
    code = code_in(mails(app)[0][2])
    his = send(bob, PATH, VERIFY)
    stolen = bob.post(
        CODE, data=hidden_fields(his, CODE) | {"handle": hidden_fields(hers, CODE)["handle"], "code": code}
    )
    assert stolen.status_code == 422
    assert not account_of(app, "alice").email_verified
    assert not account_of(app, "bob").email_verified


def test_a_confirmed_address_needs_no_other_mail(app: Flask, alice: Browser) -> None:
    assert VERIFY not in alice.get(PATH).text
    done = alice.post(VERIFY, data=token_of(alice, PATH, PATH))
    assert (done.status_code, done.location) == (303, PATH)
    assert mails(app) == []
