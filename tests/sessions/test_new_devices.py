"""A mail tells people of a sign-in with a browser that their account does not know, and of no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server.accounts import proofs
from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from tests import flows, mailbox
from tests.flows import Browser

KIND = "new_device"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"


def mails(app: Flask) -> list[mailbox.Mail]:
    return mailbox.of(app, "alice@example.test", KIND)


def elsewhere(app: Flask, agent: str = FIREFOX) -> Browser:
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = agent
    browser.sign_in("alice")
    return browser


def test_the_first_browser_of_an_account_is_no_news(app: Flask, alice: Browser) -> None:
    assert mails(app) == []


def test_a_browser_that_signed_in_before_is_no_news(app: Flask, alice: Browser) -> None:
    alice.client.delete_cookie("__Host-oidc_session", domain="id.example.test")
    alice.sign_in("alice")
    assert mails(app) == []


def test_another_browser_is_told_once_with_its_name_and_time_and_the_way_to_a_new_password(
    app: Flask, alice: Browser
) -> None:
    second = elsewhere(app)
    second.client.delete_cookie("__Host-oidc_session", domain="id.example.test")
    second.sign_in("alice")
    [mail] = mails(app)
    assert "Firefox on Windows" in mail.text
    assert "/recover" in mail.text


def test_the_header_of_a_browser_puts_no_words_into_the_mail(app: Flask, alice: Browser) -> None:
    elsewhere(app, agent="Call +1 555 0100 https://evil.example/ Firefox/1")
    [mail] = mails(app)
    assert "evil.example" not in mail.text + mail.html + mail.subject


def test_after_all_browsers_were_forgotten_the_next_is_no_news(app: Flask, alice: Browser) -> None:
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        transact(lambda: proofs.forget_devices(account.id))
    elsewhere(app)
    assert mails(app) == []


def test_a_wrong_password_and_the_password_grant_tell_nothing(app: Flask, alice: Browser) -> None:
    stranger = Browser(app)
    stranger.submit(stranger.get("/login"), username="alice", password="wrong horse battery staple")
    grant = {"grant_type": "password", "username": "alice", "password": "correct horse battery staple"}
    answer = flows.machine_of(app).post(
        "/token", data=grant, headers=flows.basic("machine"), base_url=flows.base_url(app)
    )
    assert answer.status_code == 200, answer.text
    assert mails(app) == []


def test_the_mail_speaks_the_language_of_the_person(app: Flask, alice: Browser) -> None:
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        accounts.update_claims(account.id, {"locale": "de"})
    elsewhere(app)
    [mail] = mails(app)
    assert mail.language == "de" and "Firefox unter Windows" in mail.text


@pytest.mark.parametrize("wanted", [True, False])
def test_who_does_not_want_these_mails_switches_them_off(make_app: Callable[..., Flask], wanted: bool) -> None:
    app = make_app(new_device_mail=wanted)
    Browser(app).sign_in("alice")
    elsewhere(app)
    assert len(mails(app)) == wanted
