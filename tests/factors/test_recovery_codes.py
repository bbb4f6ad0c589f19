"""Recovery codes: ten, shown once, each good once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import factors
from oidc_server.database import db, transact
from oidc_server.factors import recovery_codes
from oidc_server.factors.models import RecoveryCode

from .conftest import Phone, account_id, give_recovery_codes


def use(code: str, username: str = "alice") -> bool:
    owner = account_id(username)
    return transact(lambda: recovery_codes.use(owner, code))


def test_there_are_ten_different_ones_that_people_can_copy(app: Flask) -> None:
    codes = give_recovery_codes(app)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", code) for code in codes)


@pytest.mark.row("SE-11")
def test_each_counts_once(app: Flask) -> None:
    codes = give_recovery_codes(app)
    with app.app_context():
        assert use(codes[3]) and not use(codes[3])
        assert use(codes[4])
        assert recovery_codes.remaining(account_id()) == 8


@pytest.mark.parametrize("written", ["{0}", " {0} ", "{1}", "{2}"])
def test_however_a_person_writes_it_down(app: Flask, written: str) -> None:
    code = give_recovery_codes(app)[0]
    with app.app_context():
        assert use(written.format(code, code.lower(), code.replace("-", " ")))


def test_a_code_of_one_person_is_none_of_another(app: Flask) -> None:
    code = give_recovery_codes(app)[0]
    give_recovery_codes(app, "bob")
    with app.app_context():
        assert not use(code, "bob")
        assert use(code)


def test_new_ones_end_the_old_ones(app: Flask) -> None:
    old, new = give_recovery_codes(app), give_recovery_codes(app)
    with app.app_context():
        assert not any(use(code) for code in old)
        assert use(new[0])


def test_the_codes_do_not_lie_in_the_database(app: Flask) -> None:
    codes = give_recovery_codes(app)
    with app.app_context():
        hashes = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert len(hashes) == 10
    assert not {code.replace("-", "") for code in codes} & set(hashes)
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_they_work_after_the_secret_key_changed_and_not_under_a_strange_key(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    codes = give_recovery_codes(app)
    new_key, old_key = "another-secret-key-0123456789abcdef-xyz", app.extensions["oidc_server"].settings.secret_key
    with make_app(secret_key=new_key, password_pepper="p" * 32).app_context():
        assert not use(codes[0])
    with make_app(secret_key=new_key, secret_key_fallbacks=(old_key,), password_pepper="p" * 32).app_context():
        assert use(codes[0])


def test_they_end_with_the_last_factor(app: Flask, phone: Phone) -> None:
    codes = give_recovery_codes(app)
    with app.app_context():
        (factor,) = factors.of(account_id())
        assert transact(lambda: factors.remove(account_id(), factor.kind, factor.id))
        assert recovery_codes.remaining(account_id()) == 0
        assert not use(codes[0])
