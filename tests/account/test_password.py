"""A new password: who may set it, what is refused, and what ends with the old one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import store as accounts
from oidc_server.accounts.models import Account
from oidc_server.database import db, transact
from oidc_server.mail import store as outbox
from tests import flows
from tests.conftest import PASSWORD
from tests.flows import Browser

from .forms import account_of, send, token_of

PATH = "/account/password"
NEW = "a lighthouse keeper's umbrella"
COOKIE = "__Host-oidc_session"


def change(browser: Browser, current: str = PASSWORD, new: str = NEW, others: str = "end") -> TestResponse:
    values = {"current_password": current, "new_password": new, "others": others}
    return send(browser, PATH, **{name: value for name, value in values.items() if value})


def can_sign_in(app: Flask, password: str) -> bool:
    browser = Browser(app)
    answer = browser.submit(browser.get("/login"), follow=False, username="alice", password=password)
    return answer.status_code == 303


def cookie_of(browser: Browser) -> str:
    found = browser.client.get_cookie(COOKIE, domain="id.example.test")
    assert found is not None
    return found.value


def test_the_new_password_opens_the_account_and_the_old_one_does_not(app: Flask, alice: Browser) -> None:
    done = change(alice)
    assert (done.status_code, done.location) == (303, PATH)
    assert "Your new password is set." in alice.get(PATH).text
    assert can_sign_in(app, NEW)
    assert not can_sign_in(app, PASSWORD)


@pytest.mark.row("PW-11", "SE-12")
@pytest.mark.parametrize("current", ["", "wrong", PASSWORD + " ", PASSWORD.upper()])
def test_nothing_changes_without_the_current_password(app: Flask, alice: Browser, phone: Browser, current: str) -> None:
    answer = change(alice, current=current)
    assert answer.status_code == 403
    assert "That is not your current password" in answer.text and 'role="alert"' in answer.text
    assert not can_sign_in(app, NEW)
    assert phone.get("/account").status_code == 200
    assert NEW not in answer.text, "no password comes back"


@pytest.mark.row("SE-12")
def test_nothing_changes_long_after_the_sign_in(app: Flask, alice: Browser, clock: flows.Clock) -> None:
    fields = token_of(alice, PATH, PATH)
    clock.advance(15 * 60 + 1)
    sent = alice.post(PATH, data=fields | {"current_password": PASSWORD, "new_password": NEW})
    assert (sent.status_code, sent.location) == (303, f"/login?then={PATH}&prompt=login")
    assert not can_sign_in(app, NEW)


@pytest.mark.row("PW-05")
@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short", "Use at least 15 characters"),
        ("alice@example.test!", "says little more than your name"),
        ("", "at least"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(app: Flask, alice: Browser, new: str, reason: str) -> None:
    answer = change(alice, new=new)
    assert answer.status_code == 422
    assert reason in answer.text
    assert can_sign_in(app, PASSWORD)


@pytest.mark.row("BF-09", "BF-01")
def test_guessing_the_current_password_in_an_open_browser_is_slowed_down(app: Flask, alice: Browser) -> None:
    fields = token_of(alice, PATH, PATH)
    statuses = [
        alice.post(PATH, data=fields | {"current_password": f"guess {n}", "new_password": NEW}).status_code
        for n in range(30)
    ]
    assert 429 in statuses
    last = alice.post(PATH, data=fields | {"current_password": PASSWORD, "new_password": NEW})
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    assert "Please wait a moment" in last.text
    assert not can_sign_in(app, NEW)


@pytest.mark.row("SE-07", "RC-06")
def test_everything_else_ends_and_this_browser_stays(app: Flask, alice: Browser, phone: Browser) -> None:
    tokens = [
        alice.obtain_tokens(scope="openid"),
        alice.obtain_tokens(scope="openid offline_access", client_id="other"),
        phone.obtain_tokens(scope="openid offline_access"),
    ]
    change(alice)
    assert phone.get("/account").status_code == 303
    assert alice.get("/account").status_code == 200
    for client_id, held in zip(("web", "other", "web"), tokens, strict=True):
        assert flows.refresh(app, held["refresh_token"], client_id=client_id).status_code == 400
        assert flows.userinfo(app, held["access_token"]).status_code == 401
    assert "code" in flows.answer_of(alice.authorize(scope="openid", prompt="none")), "apps sign in again by themselves"


@pytest.mark.row("SE-07")
def test_everything_else_stays_by_choice(app: Flask, alice: Browser, phone: Browser) -> None:
    kept = phone.obtain_tokens(scope="openid offline_access")
    done = change(alice, others="")
    assert done.status_code == 303
    assert phone.get("/account").status_code == 200
    assert flows.refresh(app, kept["refresh_token"]).status_code == 200
    assert can_sign_in(app, NEW)
    assert not can_sign_in(app, PASSWORD)


def test_the_form_proposes_to_end_the_others_and_remembers_what_was_chosen(alice: Browser) -> None:
    assert 'value="end" checked' in alice.get(PATH).text
    assert 'value="end" checked' not in change(alice, current="wrong", others="").text


@pytest.mark.row("SE-02")
def test_this_session_goes_on_under_another_identifier_and_says_truly_when_it_began(
    app: Flask, alice: Browser, clock: flows.Clock
) -> None:
    before = flows.claims_of(alice.obtain_tokens(scope="openid")["id_token"])
    old_cookie = cookie_of(alice)
    clock.advance(60)
    change(alice)
    assert cookie_of(alice) != old_cookie
    thief = Browser(app)
    thief.client.set_cookie(COOKIE, old_cookie, domain="id.example.test", secure=True)
    assert thief.get("/account").status_code == 303
    after = flows.claims_of(alice.obtain_tokens(scope="openid")["id_token"])
    assert (after["auth_time"], after["sid"]) == (before["auth_time"], before["sid"])


@pytest.mark.row("RC-06", "RC-11")
def test_the_person_is_told_by_mail(app: Flask, alice: Browser) -> None:
    change(alice)
    with app.app_context():
        [mail] = outbox.list_for(account_of(app).id)
        assert (mail.kind, mail.recipient) == ("password_changed", "alice@example.test")


@pytest.mark.row("LS-05")
def test_it_is_in_the_log_and_in_the_persons_activity(alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="oidc_server.audit")
    change(alice)
    [line] = [record.getMessage() for record in caplog.records if "account.password_set" in record.getMessage()]
    assert '"by":"person"' in line and NEW not in caplog.text and PASSWORD not in caplog.text
    assert "Password changed" in alice.get("/account/activity").text


def test_somebody_without_a_password_sets_one_after_a_fresh_sign_in_alone(app: Flask, alice: Browser) -> None:
    account = account_of(app)
    with app.app_context():
        transact(
            lambda: db.session.execute(sa.update(Account).where(Account.id == account.id).values(password_hash=None))
        )
    page = alice.get(PATH)
    assert "Set a password" in page.text and "current_password" not in page.text
    assert change(alice, current="").status_code == 303
    assert can_sign_in(app, NEW)


def test_a_password_set_by_an_operator_still_ends_everything(app: Flask, alice: Browser, clock: flows.Clock) -> None:
    held = alice.obtain_tokens(scope="openid offline_access")
    clock.advance(1)
    with app.app_context():
        accounts.set_password(account_of(app).id, NEW)
    assert alice.get("/account").status_code == 303
    assert flows.refresh(app, held["refresh_token"]).status_code == 400
