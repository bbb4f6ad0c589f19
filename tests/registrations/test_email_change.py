"""Another address: the new one is proven, the owner of the old one is told and can undo it (RC-11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server import registrations
from oidc_server.accounts import Account
from oidc_server.accounts import store as accounts

from .. import flows, mailbox

OLD, NEW, OTHER = "alice@example.test", "new@example.test", "third@example.test"


def change(app: Flask, address: str = NEW, login: str = "alice") -> mailbox.Mail:
    with app.app_context():
        account = accounts.find_by_login(login)
        assert account is not None
        registrations.begin_email_change(account, address)
    return mailbox.newest(app, address)


def press(app: Flask, mail: mailbox.Mail) -> int:
    browser = flows.Browser(app)
    return browser.submit(browser.get(mail.path)).status_code


def alice_of(app: Flask) -> Account:
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        return account


@pytest.mark.row("RC-11", "RC-08")
def test_nothing_changes_before_the_new_address_answers(app: Flask) -> None:
    mail = change(app)
    assert mail.kind == "email_change"
    assert flows.Browser(app).get(mail.path).status_code == 200
    assert alice_of(app).email == OLD

    assert press(app, mail) == 200

    assert (alice_of(app).email, alice_of(app).email_verified) == (NEW, True)
    told = mailbox.newest(app, OLD)
    assert told.kind == "email_changed" and NEW in told.text and told.path.startswith("/verify?undo=")


@pytest.mark.row("RC-11")
def test_the_owner_of_the_old_address_undoes_it_and_everybody_is_out(app: Flask) -> None:
    thief = flows.Browser(app)
    thief.sign_in("alice")
    tokens = thief.obtain_tokens(scope="openid offline_access")
    press(app, change(app))
    undo = mailbox.newest(app, OLD)
    owner = flows.Browser(app)
    page = owner.get(undo.path)
    assert alice_of(app).email == NEW

    done = owner.submit(page)

    assert 'href="/recover"' in done.text
    assert alice_of(app).email == OLD
    assert thief.get("/account").status_code == 303
    assert flows.refresh(app, tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert owner.get(undo.path).status_code == 410


@pytest.mark.row("RC-11")
def test_a_thief_who_changes_twice_does_not_end_the_owners_way_back(app: Flask) -> None:
    press(app, change(app))
    undo = mailbox.newest(app, OLD)
    press(app, change(app, OTHER))
    assert alice_of(app).email == OTHER

    assert press(app, undo) == 200

    assert alice_of(app).email == OLD


@pytest.mark.row("RC-11")
def test_an_account_made_with_the_old_address_meanwhile_does_not_stand_in_the_way(app: Flask) -> None:
    press(app, change(app))
    undo = mailbox.newest(app, OLD)
    with app.app_context():
        accounts.create("squatter", email=OLD)

    assert press(app, undo) == 200

    assert alice_of(app).email == OLD


@pytest.mark.row("RC-14")
def test_the_way_back_is_open_for_a_week(app: Flask, clock: flows.Clock) -> None:
    press(app, change(app))
    undo = mailbox.newest(app, OLD)
    clock.advance(7 * 86400 - 5)
    assert flows.Browser(app).get(undo.path).status_code == 200
    clock.advance(6)
    assert flows.Browser(app).get(undo.path).status_code == 410


@pytest.mark.row("RC-02")
def test_the_link_works_once(app: Flask) -> None:
    mail = change(app)
    assert [press(app, mail), flows.Browser(app).get(mail.path).status_code] == [200, 410]


@pytest.mark.row("RC-03")
def test_a_new_password_ends_a_change_that_was_asked_for_before(app: Flask) -> None:
    mail = change(app)
    with app.app_context():
        accounts.set_password(alice_of(app).id, "chosen after the thief was noticed")

    assert press(app, mail) == 410
    assert alice_of(app).email == OLD


@pytest.mark.row("RC-02", "ID-04")
def test_an_address_that_somebody_has_is_not_taken(app: Flask) -> None:
    with app.app_context(), pytest.raises(registrations.AccountExists):
        registrations.begin_email_change(alice_of(app), "BOB@example.test")
    assert mailbox.of(app) == []


def test_an_address_that_somebody_got_meanwhile_is_not_taken(app: Flask) -> None:
    mail = change(app)
    with app.app_context():
        accounts.create("faster", email=NEW)

    assert press(app, mail) == 409
    assert alice_of(app).email == OLD


@pytest.mark.row("EN-04")
def test_with_hidden_accounts_the_change_says_nothing_and_the_owner_is_told(make_app: Callable[..., Flask]) -> None:
    app = make_app(hide_accounts=True)
    with app.app_context():
        handles = [registrations.begin_email_change(alice_of(app), to) for to in (NEW, "bob@example.test")]

    assert {len(handle) for handle in handles} == {64}
    assert mailbox.newest(app, "bob@example.test").kind == "account_exists"
    assert mailbox.of(app, OLD) == []
