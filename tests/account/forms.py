"""Filling in the forms of the account pages by their action, as a person would, and what is left in the database."""

from __future__ import annotations

import re
from html import unescape

from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import Account
from oidc_server.accounts import store as accounts
from tests.flows import Browser


def hidden_fields(page: TestResponse, action: str, **containing: str) -> dict[str, str]:
    """The hidden fields of the form with this action; of several, the one whose hidden field has the value `containing`."""
    found = []
    for form in re.findall(r"<form\b[^>]*>.*?</form>", page.text, re.S):
        if f'action="{action}"' not in form.partition(">")[0]:
            continue
        fields = {}
        for tag in re.findall(r'<input\b[^>]*type="hidden"[^>]*>', form):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name is not None:
                fields[name[1]] = unescape(value[1]) if value is not None else ""
        if containing.items() <= fields.items():
            found.append(fields)
    assert len(found) == 1, f"{len(found)} forms of {action} with {containing} in {page.text}"
    return found[0]


def send(
    browser: Browser, path: str, action: str = "", *, pick: dict[str, str] | None = None, **values: str
) -> TestResponse:
    """Open `path`, fill in its form with this action (the path's own by default) and send it; the answer, not followed."""
    page = browser.get(path)
    assert page.status_code == 200, (page.status_code, page.location, page.text[:300])
    return browser.post(action or path, data=hidden_fields(page, action or path, **(pick or {})) | values)


def token_of(browser: Browser, path: str, action: str) -> dict[str, str]:
    """The hidden fields of a form, to be sent with other values."""
    return hidden_fields(browser.get(path), action)


def account_of(app: Flask, username: str = "alice") -> Account:
    """The account as the database has it now."""
    with app.app_context():
        found = accounts.find_by_login(username)
        assert found is not None
        return found
