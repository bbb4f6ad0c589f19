"""Adding and removing an authenticator app on the account pages."""

from __future__ import annotations

import base64
import re

from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import factors
from oidc_server.accounts import store as accounts

from ..flows import Browser, form_of
from .conftest import Phone

PASSWORD = "correct horse battery staple"


def form_with(page: TestResponse, identifier: str) -> tuple[str, dict[str, str]]:
    """Action and hidden fields of the form of this id."""
    found = re.search(rf'<form id="{identifier}".*?</form>', page.text, re.S)
    assert found, page.text
    return form_of(found[0])


def submit(browser: Browser, page: TestResponse, identifier: str, **values: str) -> TestResponse:
    action, fields = form_with(page, identifier)
    return browser.follow(browser.post(action, data=fields | values))


def phone_of(page: TestResponse) -> Phone:
    """An app that was given the letters on the page."""
    found = re.search(r'id="totp-secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    assert found, page.text
    return Phone(base64.b32decode(found[1].replace(" ", "")))


def factors_of(app: Flask, username: str = "alice") -> list[factors.Factor]:
    with app.app_context():
        account = accounts.find_by_login(username)
        assert account is not None
        return factors.of(account.id)


def test_an_app_is_added_and_its_codes_sign_in(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get("/account/factors"), "add-app-form")
    phone = phone_of(page)
    page = submit(alice, page, "new-app-form", code=phone.code(), name="My phone")
    assert page.request.path == "/account/factors/recovery-codes"
    assert [factor.name for factor in factors_of(app)] == ["My phone"]
    page = submit(alice, page, "recovery-codes-form")
    codes = re.findall(r"<code>([0-9A-Z-]{14})</code>", page.text)
    assert len(set(codes)) == 10
    other = Browser(app)
    asked = other.submit(other.get("/login"), username="alice", password=PASSWORD)
    assert other.submit(asked, code=phone.code()).request.path == "/account"
