"""People with second factors: Alice gets an authenticator app, and tests type what it shows."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import factors
from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from oidc_server.factors import totp

from ..flows import Browser, form_of

PASSWORD = "correct horse battery staple"


@dataclass
class Phone:
    """An authenticator app with one secret, which never shows the same code twice in a test."""

    secret: bytes
    last: int = field(default=0)

    def code(self) -> str:
        """The next code that the server accepts; at most a step ahead of the clock."""
        self.last = max(self.last + 1, totp.step_now())
        return totp.code_at(self.secret, self.last)

    def present(self) -> str:
        """The code of this very moment."""
        return totp.code_at(self.secret, totp.step_now())


def account_id(username: str = "alice") -> str:
    """The id of an account. In an application context."""
    account = accounts.find_by_login(username)
    assert account is not None
    return account.id


def give_phone(app: Flask, username: str = "alice") -> Phone:
    """An authenticator app of this account, set up with the code before the present one."""
    with app.app_context():
        owner = account_id(username)
        secret = totp.make_secret()
        step = totp.step_now()
        added = transact(lambda: totp.add(owner, secret, totp.code_at(secret, step - 1), "Phone"))
        assert added is not None
        return Phone(secret, step - 1)


def give_recovery_codes(app: Flask, username: str = "alice") -> list[str]:
    """Ten recovery codes of this account."""
    with app.app_context():
        owner = account_id(username)
        return transact(lambda: factors.recovery_codes.make(owner))


@pytest.fixture
def phone(app: Flask) -> Phone:
    """Alice's authenticator app."""
    return give_phone(app)


def form_with(page: TestResponse, identifier: str) -> tuple[str, dict[str, str]]:
    """Action and hidden fields of the form of this id."""
    found = re.search(rf'<form id="{identifier}".*?</form>', page.text, re.S)
    assert found, page.text
    return form_of(found[0])


def submit(browser: Browser, page: TestResponse, identifier: str, **values: str) -> TestResponse:
    """Submit the form of this id and follow where it leads."""
    action, fields = form_with(page, identifier)
    return browser.follow(browser.post(action, data=fields | values))


def give_password(browser: Browser, username: str = "alice", **request: str) -> TestResponse:
    """The page after the right password: for an app if the request has parameters, else without one."""
    page = browser.authorize(**request) if request else browser.get("/login")
    return submit(browser, page, "login-form", username=username, password=PASSWORD)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def phone_of(page: TestResponse) -> Phone:
    """An app that was given the letters on the page."""
    found = re.search(r'id="totp-secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    assert found, page.text
    return Phone(base64.b32decode(found[1].replace(" ", "")))
