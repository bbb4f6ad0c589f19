"""A new password by mail: what the link may do, what ends, who is told."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import factors, registrations
from oidc_server.accounts import store as accounts
from oidc_server.database import transact

from .. import flows, mailbox

ALICE = "alice@example.test"
OLD, NEW = "correct horse battery staple", "a quiet walk along the river"


def ask(app: Flask, login: str = "alice", path: str = "/recover", browser: Any = None) -> mailbox.Mail:
    browser = browser or flows.Browser(app)
    page = browser.submit(browser.get(path), login=login)
    assert page.status_code == 200
    return mailbox.newest(app, f"{login.partition('@')[0]}@example.test", "reset_password")


def reset(browser: flows.Browser, mail: mailbox.Mail, password: str = NEW, **values: str) -> TestResponse:
    return browser.submit(browser.get(mail.path), password=password, **values)


def may_sign_in(app: Flask, password: str, username: str = "alice") -> bool:
    browser = flows.Browser(app)
    return browser.submit(browser.get("/login"), username=username, password=password).status_code == 200


@pytest.mark.row("RC-05")
def test_the_link_sets_the_password_in_any_browser_and_signs_nobody_in(app: Flask) -> None:
    mail = ask(app)
    phone = flows.Browser(app)

    response = reset(phone, mail)

    assert "Your new password is set" in response.text
    assert "link" not in response.request.full_path
    assert phone.get("/account").status_code == 303
    assert may_sign_in(app, NEW)
    assert not may_sign_in(app, OLD)


@pytest.mark.row("RC-08", "WB-10")
def test_following_the_link_changes_nothing(app: Flask) -> None:
    mail = ask(app)
    scanner = flows.Browser(app)
    for _ in range(3):
        assert scanner.get(mail.path).status_code == 200
        assert scanner.client.head(mail.path, base_url=flows.base_url(app)).status_code == 200

    assert may_sign_in(app, OLD)
    assert reset(flows.Browser(app), mail).status_code == 200


@pytest.mark.row("RC-02", "RC-09")
def test_the_link_works_once_and_its_page_offers_a_new_one(app: Flask) -> None:
    mail = ask(app)
    browser = flows.Browser(app)
    page = browser.get(mail.path)
    browser.submit(page, password=NEW)

    again = browser.submit(page, password="some other password of a thief")
    assert again.status_code == 410
    assert "This link was used" in again.text and 'href="/recover"' in again.text
    assert browser.get(mail.path).status_code == 410
    assert may_sign_in(app, NEW)


@pytest.mark.row("RC-14")
def test_the_link_and_the_code_end_to_the_second(app: Flask, clock: flows.Clock) -> None:
    browser = flows.Browser(app)
    page = browser.submit(browser.get("/recover"), login="alice")
    mail = mailbox.newest(app, ALICE)
    form = browser.get(mail.path)

    clock.advance(1800 - 5)
    assert browser.get(mail.path).status_code == 200
    clock.advance(6)
    assert browser.get(mail.path).status_code == 410
    assert browser.submit(form, password=NEW).status_code == 410
    late = browser.submit(page, code=mail.code)
    assert late.status_code == 410 and 'id="recover-again"' in late.text
    assert may_sign_in(app, OLD)


@pytest.mark.row("RC-03")
def test_a_newer_link_ends_the_older(app: Flask) -> None:
    older, newer = ask(app), ask(app)

    assert flows.Browser(app).get(older.path).status_code == 410
    assert reset(flows.Browser(app), newer).status_code == 200


@pytest.mark.row("RC-03")
def test_a_password_set_meanwhile_ends_the_link(app: Flask) -> None:
    mail = ask(app)
    browser = flows.Browser(app)
    page = browser.get(mail.path)
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        accounts.set_password(account.id, "chosen by herself meanwhile")

    assert browser.submit(page, password=NEW).status_code == 410
    assert may_sign_in(app, "chosen by herself meanwhile")


@pytest.mark.row("RC-03")
def test_an_address_changed_meanwhile_ends_the_link_to_the_earlier_one(app: Flask) -> None:
    mail = ask(app)
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        registrations.begin_email_change(account, "new@example.test")
    browser = flows.Browser(app)
    browser.submit(browser.get(mailbox.newest(app, "new@example.test").path))

    assert browser.get(mail.path).status_code == 410


@pytest.mark.row("RC-03")
def test_a_link_sets_the_password_of_its_own_person_whoever_is_signed_in(app: Flask) -> None:
    mail = ask(app, "bob")
    alice = flows.Browser(app)
    alice.sign_in("alice")
    page = alice.get(mail.path)
    assert 'id="reset-keep"' not in page.text

    alice.submit(page, password=NEW, keep="yes")

    assert may_sign_in(app, NEW, "bob")
    assert may_sign_in(app, OLD, "alice")
    assert alice.get("/account").status_code == 200


# The code.


def test_the_code_works_where_the_mail_was_asked_for(app: Flask) -> None:
    browser = flows.Browser(app)
    page = browser.submit(browser.get("/recover"), login="alice")
    mail = mailbox.newest(app, ALICE)

    form = browser.submit(page, code=f"{mail.code[:4]} {mail.code[4:]}")
    assert 'id="reset-password"' in form.text
    response = browser.submit(form, password=NEW)

    assert "Your new password is set" in response.text
    assert may_sign_in(app, NEW)


@pytest.mark.row("RC-04", "SE-09")
def test_nobody_reaches_the_new_password_without_the_proof(app: Flask) -> None:
    browser = flows.Browser(app)
    page = browser.submit(browser.get("/recover"), login="alice")
    _, fields = flows.form_of(page.text)
    for values in (
        {"step": "password", "password": NEW},
        {"step": "password", "password": NEW, "code": ""},
        {"step": "password", "password": NEW, "code": "00000000"},
    ):
        assert browser.post("/reset", data=fields | values).status_code == 422
    without = {"csrf_token": fields["csrf_token"], "password": NEW}
    assert browser.post("/reset", data=without).status_code == 400
    assert browser.post("/reset", data=without | {"link": fields["request"]}).status_code == 400

    assert may_sign_in(app, OLD)


@pytest.mark.row("RC-03", "SE-09")
def test_the_code_of_one_person_opens_nothing_of_another(app: Flask) -> None:
    browser = flows.Browser(app)
    for_bob = browser.submit(browser.get("/recover"), login="bob")
    ask(app, "alice")

    assert browser.submit(for_bob, code=mailbox.newest(app, ALICE).code).status_code == 422


@pytest.mark.row("BF-09", "SE-11")
def test_five_wrong_codes_end_the_code_but_not_the_link(app: Flask) -> None:
    browser = flows.Browser(app)
    page = browser.submit(browser.get("/recover"), login="alice")
    mail = mailbox.newest(app, ALICE)
    wrong = f"{(int(mail.code) + 1) % 10**8:08}"

    assert [browser.submit(page, code=wrong).status_code for _ in range(5)] == [422] * 4 + [400]
    assert browser.submit(page, code=mail.code).status_code == 400
    assert reset(flows.Browser(app), mail).status_code == 200


# The new password.


@pytest.mark.row("PW-05", "PW-06")
@pytest.mark.parametrize("password", ["brief pass", "passwordpassword", "alice alice alice", "p" * 5000])
def test_a_password_that_cannot_be_used_is_told_and_the_link_stays_good(app: Flask, password: str) -> None:
    mail = ask(app)
    browser = flows.Browser(app)

    response = reset(browser, mail, password)

    assert response.status_code == 422
    assert 'id="reset-password-problem"' in response.text and password not in response.text
    assert "Your new password is set" in browser.submit(response, password=NEW).text


@pytest.mark.row("RC-06", "SE-07")
def test_every_session_and_refresh_token_ends_and_the_person_is_told(app: Flask) -> None:
    alice = flows.Browser(app)
    alice.sign_in("alice")
    tokens = alice.obtain_tokens(scope="openid offline_access")

    reset(flows.Browser(app), ask(app))

    assert alice.get("/account").status_code == 303
    assert flows.refresh(app, tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401
    assert mailbox.newest(app, ALICE).kind == "password_changed"


@pytest.mark.row("RC-06", "SE-07")
def test_this_device_stays_signed_in_if_its_person_says_so_and_no_other_does(app: Flask) -> None:
    here, there = flows.Browser(app), flows.Browser(app)
    here.sign_in("alice")
    there.sign_in("alice")
    before = here.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    on_its_way = there.obtain_code(scope="openid offline_access", prompt="consent")
    offline = there.obtain_tokens(scope="openid offline_access")
    page = here.get(ask(app).path)
    assert 'id="reset-keep"' in page.text

    response = here.submit(page, password=NEW, keep="yes")

    assert "still signed in on this one" in response.text
    after = here.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert before is not None and after is not None and before.value != after.value
    assert flows.redeem(app, on_its_way).json["error"] == "invalid_grant"
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert flows.refresh(app, offline["refresh_token"]).json["error"] == "invalid_grant"


def test_without_the_choice_this_device_is_signed_out_too(app: Flask) -> None:
    here = flows.Browser(app)
    here.sign_in("alice")

    here.submit(here.get(ask(app).path), password=NEW)

    assert here.get("/account").status_code == 303


@pytest.mark.row("RC-05", "SE-10")
def test_after_a_reset_the_second_factor_is_still_asked_for(app: Flask) -> None:
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        enrol(account)
    browser = flows.Browser(app)
    reset(browser, ask(app))
    assert browser.get("/account").status_code == 303

    response = browser.submit(browser.get("/login"), follow=False, username="alice", password=NEW)

    assert response.location.startswith("/login/second-factor?pending=")
    assert browser.get("/account").status_code == 303


def enrol(account: Any) -> None:
    """A second factor of any kind."""
    secret = factors.totp.make_secret()
    code = factors.totp.code_at(secret, factors.totp.step_now())
    assert transact(lambda: factors.totp.add(account.id, secret, code, "phone")) is not None


@pytest.mark.row("RC-06")
def test_a_reset_proves_the_address_that_was_never_confirmed(app: Flask) -> None:
    reset(flows.Browser(app), ask(app, "bob"))

    with app.app_context():
        bob = accounts.find_by_login("bob")
        assert bob is not None and bob.email_verified


@pytest.mark.row("SE-01", "WB-09")
def test_a_form_of_another_browser_sets_no_password(app: Flask) -> None:
    _, fields = flows.form_of(flows.Browser(app).get(ask(app).path).text)

    assert flows.Browser(app).post("/reset", data=fields | {"password": NEW}).status_code == 403
    assert may_sign_in(app, OLD)


@pytest.mark.row("SE-14")
def test_a_disabled_account_gets_no_new_password(app: Flask) -> None:
    mail = ask(app)
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        accounts.disable(account.id)

    assert flows.Browser(app).get(mail.path).status_code == 410


def test_the_app_that_waits_gets_its_answer_after_the_reset(app: Flask) -> None:
    browser = flows.Browser(app)
    transaction = flows.form_of(browser.authorize().text)[1]["transaction"]
    mail = ask(app, path=f"/recover?transaction={transaction}", browser=browser)

    done = reset(browser, mail)
    assert f'href="/login?transaction={transaction}"' in done.text
    response = browser.submit(browser.get(f"/login?transaction={transaction}"), username="alice", password=NEW)

    assert 'id="consent-allow"' in response.text


def test_in_another_browser_the_reset_leads_to_a_plain_sign_in(app: Flask) -> None:
    browser = flows.Browser(app)
    transaction = flows.form_of(browser.authorize().text)[1]["transaction"]
    mail = ask(app, path=f"/recover?transaction={transaction}", browser=browser)

    assert 'id="reset-on" class="button primary" href="/login"' in reset(flows.Browser(app), mail).text


@pytest.mark.parametrize("path", ["/reset?link=" + "x" * 43, "/reset?link=%00", "/reset?link=' OR 1=1"])
def test_a_link_that_never_was_finds_a_page_that_says_what_to_do(app: Flask, path: str) -> None:
    response = flows.Browser(app).get(path)
    assert response.status_code == 400
    assert "oauth-error" in response.text or 'id="recover-again"' in response.text


def test_the_audit_log_says_who_and_never_the_secret(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    mail = ask(app)
    reset(flows.Browser(app), mail)

    said = caplog.text
    assert "recovery.asked" in said and "recovery.done" in said
    assert mail.path.partition("=")[2] not in said and mail.code not in said and NEW not in said
