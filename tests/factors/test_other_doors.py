"""Doors that can carry no second factor are closed to whoever needs one: the password grant, and the operator's way back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import factors
from oidc_server.accounts import store as accounts
from oidc_server.accounts.throttle.models import KnownDevice
from oidc_server.database import db
from oidc_server.mail.models import OutboxMail

from ..flows import Browser, token_request
from .conftest import PASSWORD, Phone, account_id, give_password, give_phone, give_recovery_codes, is_signed_in

GRANT = {
    "grant_type": "password",
    "username": "alice",
    "scope": "photos:read",
    "resource": "https://api.photos.example/",
}


@pytest.mark.row("SE-10")
def test_the_password_grant_is_closed_to_whoever_has_a_factor(app: Flask, phone: Phone) -> None:
    right = token_request(app, "machine", **GRANT, password=PASSWORD)
    wrong = token_request(app, "machine", **GRANT, password="wrong")
    assert right.status_code == 400 and (right.json or {})["error"] == "invalid_grant"
    assert right.data == wrong.data  # nobody tries passwords out here
    with app.app_context():
        assert db.session.query(KnownDevice).all() == []
        account = accounts.find(account_id())
        assert account is not None and account.last_login_at is None


@pytest.mark.row("SE-10", "BF-09")
def test_a_right_password_counts_as_a_wrong_one_there(app: Flask, phone: Phone) -> None:
    statuses = [token_request(app, "machine", **GRANT, password=PASSWORD).status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]


@pytest.mark.row("SE-10")
def test_it_is_closed_to_whoever_must_have_one(make_app: Callable[..., Flask]) -> None:
    answer = token_request(make_app(second_factor="required"), "machine", **GRANT, password=PASSWORD)
    assert (answer.json or {})["error"] == "invalid_grant"


def test_it_stays_open_to_whoever_needs_none(app: Flask, phone: Phone) -> None:
    answer = token_request(app, "machine", **GRANT | {"username": "bob"}, password=PASSWORD)
    assert answer.status_code == 200


def test_an_operator_resets_the_factors_of_a_person_who_lost_them(app: Flask, browser: Browser) -> None:
    give_phone(app)
    give_recovery_codes(app)
    run = app.test_cli_runner().invoke(args=["accounts", "reset-factors", "alice", "--yes", "--json"])
    assert run.exit_code == 0, run.output
    assert [factor["kind"] for factor in json.loads(run.output)["removed"]] == ["totp"]
    with app.app_context():
        assert factors.of(account_id()) == [] and factors.recovery_codes.remaining(account_id()) == 0
        assert db.session.scalars(sa.select(OutboxMail.kind)).all() == ["factor_removed"]
    give_password(browser)
    assert is_signed_in(browser)


def test_the_operator_is_asked_first(app: Flask, phone: Phone) -> None:
    run = app.test_cli_runner().invoke(args=["accounts", "reset-factors", "alice"], input="n\n")
    assert run.exit_code == 1
    with app.app_context():
        assert len(factors.of(account_id())) == 1


def test_the_operator_is_told_who_does_not_exist(app: Flask) -> None:
    run = app.test_cli_runner().invoke(args=["accounts", "reset-factors", "nobody", "--yes"])
    assert run.exit_code == 1 and "no such account" in run.output


@pytest.mark.row("SE-10")
def test_after_a_reset_who_must_have_a_factor_sets_one_up(make_app: Callable[..., Flask]) -> None:
    app = make_app(second_factor="required")
    give_phone(app)
    app.test_cli_runner().invoke(args=["accounts", "reset-factors", "alice", "--yes"])
    browser = Browser(app)
    assert give_password(browser).request.path == "/login/second-factor/new"
    assert not is_signed_in(browser)
