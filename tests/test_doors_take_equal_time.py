"""F-22 where people sign in: known, disabled and locked people are told from unknown ones by nothing, not even the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts

from . import flows
from .conftest import PASSWORD
from .timing import PEOPLE, Door, require_no_difference

pytestmark = [pytest.mark.thorough, pytest.mark.row("EN-01", "EN-02")]


def network_of(number: int) -> dict[str, str]:
    """Everybody comes from a network of their own, or guessing at many names would be slowed down."""
    return {"REMOTE_ADDR": f"10.{number // 250 % 250}.{number % 250}.1"}


def page(app: Flask, known: str, unknown: str) -> tuple[Door, Door]:
    browser = flows.Browser(app)
    _, fields = flows.form_of(browser.get("/login").text)

    def door(name: str) -> Door:
        return lambda number: browser.post(
            "/login",
            data=fields | {"username": name.format(number), "password": "wrong horse"},
            environ_overrides=network_of(number),
        )

    return door(known), door(unknown)


def posting(app: Flask, path: str, known: str, unknown: str, **sent: Any) -> tuple[Door, Door]:
    """What `sent` gives for a name, posted by a program from a network of its own."""
    machine = flows.machine_of(app)

    def door(name: str) -> Door:
        return lambda number: machine.post(
            path,
            base_url=flows.base_url(app),
            environ_overrides=network_of(number),
            **{key: one(name.format(number)) if callable(one) else one for key, one in sent.items()},
        )

    return door(known), door(unknown)


def password_grant(app: Flask, known: str, unknown: str) -> tuple[Door, Door]:
    def form(name: str) -> dict[str, str]:
        return {"grant_type": "password", "username": name, "password": "wrong horse"}

    return posting(app, "/token", known, unknown, data=form, headers=flows.basic("machine"))


def api(app: Flask, known: str, unknown: str) -> tuple[Door, Door]:
    def fields(name: str) -> dict[str, str]:
        return {"login": name, "password": "wrong horse"}

    return posting(app, "/api/v1/accounts/login", known, unknown, json=fields)


@pytest.mark.parametrize("doors", [page, password_grant, api])
@pytest.mark.parametrize("kind", ["known", "disabled", "without a password"])
def test_f_22_signing_in(app: Flask, doors: Callable[[Flask, str, str], tuple[Door, Door]], kind: str) -> None:
    with app.app_context():
        for number in range(PEOPLE):
            account = accounts.create(f"known{number:03}", None)
            if kind != "without a password":
                accounts.set_password(account.id, PASSWORD)
            if kind == "disabled":
                accounts.disable(account.id)
    require_no_difference(f"{doors.__name__}, {kind}", *doors(app, "known{:03}", "nobod{:03}"))
