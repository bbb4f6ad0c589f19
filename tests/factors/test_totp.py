"""Codes of authenticator apps: RFC 6238, each good once, the secret sealed at rest."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import factors
from oidc_server.accounts import store as accounts
from oidc_server.database import db, transact
from oidc_server.factors import qr_code, totp
from oidc_server.factors.models import TotpSecret

from ..flows import Clock
from .conftest import Phone, account_id, give_phone


@pytest.mark.spec("RFC 6238 §4.2", "RFC 4226 §5.3")
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_appendix_b(seconds: int, code: str) -> None:
    assert totp.code_at(b"12345678901234567890", seconds // 30) == code


@pytest.mark.spec("RFC 4226 §4")
def test_a_secret_has_160_random_bits() -> None:
    assert len({totp.make_secret() for _ in range(50)}) == 50
    assert {len(totp.make_secret()) for _ in range(5)} == {20}


@pytest.mark.spec("RFC 6238 §6")
@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_that_is_a_little_wrong_is_forgiven(context: None, steps: int, counts: bool) -> None:
    secret = totp.make_secret()
    found = totp.matching_step(secret, totp.code_at(secret, totp.step_now() + steps), after=-1)
    assert found == (totp.step_now() + steps if counts else None)


@pytest.mark.row("SE-11")
@pytest.mark.spec("RFC 6238 §5.2")
def test_a_code_counts_once(app: Flask, phone: Phone) -> None:
    code = phone.code()
    with app.app_context():
        assert transact(lambda: totp.use(account_id(), code)) is True
        assert transact(lambda: totp.use(account_id(), code)) is False


@pytest.mark.row("SE-11")
def test_a_code_of_an_earlier_step_does_not_count_after_a_later_one(app: Flask, phone: Phone) -> None:
    with app.app_context():
        step = totp.step_now()
        assert transact(lambda: totp.use(account_id(), totp.code_at(phone.secret, step + 1)))
        assert not transact(lambda: totp.use(account_id(), totp.code_at(phone.secret, step)))


@pytest.mark.row("SE-11")
def test_one_step_is_used_once_by_an_account_with_two_phones(app: Flask, phone: Phone, clock: Clock) -> None:
    other = give_phone(app)
    clock.advance(120)
    with app.app_context():
        assert transact(lambda: totp.use(account_id(), phone.present()))
        assert not transact(lambda: totp.use(account_id(), other.present()))
        clock.advance(30)
        assert transact(lambda: totp.use(account_id(), other.present()))


@pytest.mark.row("SE-11")
def test_the_code_that_set_the_app_up_signs_nobody_in(app: Flask) -> None:
    with app.app_context():
        secret = totp.make_secret()
        code = totp.code_at(secret, totp.step_now())
        assert transact(lambda: totp.add(account_id(), secret, code, "")) is not None
        assert not transact(lambda: totp.use(account_id(), code))


def test_a_code_of_one_person_is_none_of_another(app: Flask, phone: Phone) -> None:
    with app.app_context():
        assert not transact(lambda: totp.use(account_id("bob"), phone.present()))


def test_an_app_that_shows_another_code_is_not_added(app: Flask) -> None:
    with app.app_context():
        secret = totp.make_secret()
        wrong = str((int(totp.code_at(secret, totp.step_now())) + 1) % 10**6).zfill(6)
        assert transact(lambda: totp.add(account_id(), secret, wrong, "")) is None
        assert factors.of(account_id()) == []


def test_an_account_has_ten_apps_at_most(app: Flask) -> None:
    for _ in range(totp.MOST):
        give_phone(app)
    with app.app_context(), pytest.raises(factors.TooManyFactors):
        transact(lambda: totp.add(account_id(), totp.make_secret(), "000000", ""))


def test_the_secret_does_not_lie_in_the_database(app: Flask, phone: Phone) -> None:
    with app.app_context():
        (sealed,) = db.session.scalars(sa.select(TotpSecret.sealed)).all()
    assert phone.secret not in sealed
    assert base64.b32encode(phone.secret) not in sealed


def test_a_sealed_secret_moved_to_another_row_opens_nothing(app: Flask, phone: Phone) -> None:
    give_phone(app, "bob")
    with app.app_context():
        (sealed,) = db.session.scalars(sa.select(TotpSecret.sealed).where(TotpSecret.account_id == account_id()))
        transact(
            lambda: db.session.execute(
                sa.update(TotpSecret).where(TotpSecret.account_id == account_id("bob")).values(sealed=sealed)
            )
        )
        assert not transact(lambda: totp.use(account_id("bob"), phone.present()))


def test_apps_go_on_working_after_the_secret_key_changed(
    app: Flask, phone: Phone, make_app: Callable[..., Flask]
) -> None:
    old_key = app.extensions["oidc_server"].settings.secret_key
    new_key = "another-secret-key-0123456789abcdef-xyz"
    renewed = make_app(secret_key=new_key, secret_key_fallbacks=(old_key,), password_pepper="p" * 32)
    with renewed.app_context():
        assert transact(lambda: totp.use(account_id(), phone.code()))
    forgetful = make_app(secret_key=new_key, password_pepper="p" * 32)
    with forgetful.app_context():
        assert not transact(lambda: totp.use(account_id(), phone.code()))


def test_the_picture_says_what_apps_read(app: Flask) -> None:
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        uri = urlsplit(totp.uri(b"12345678901234567890", account))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/id.example.test:alice@example.test")
    assert parse_qs(uri.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["id.example.test"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_the_picture_is_drawn_here_and_fits_the_policy_of_pages() -> None:
    drawn = str(qr_code.svg("otpauth://totp/x:y?secret=ABC"))
    assert drawn.startswith("<svg ") and 'fill="#fff"' in drawn
    assert "style=" not in drawn and "http" not in drawn and "ABC" not in drawn


def test_factors_go_with_their_account(app: Flask, phone: Phone) -> None:
    from oidc_server.accounts.models import Account

    with app.app_context():
        transact(lambda: db.session.execute(sa.delete(Account).where(Account.id == account_id())))
        assert db.session.scalars(sa.select(TotpSecret)).all() == []
