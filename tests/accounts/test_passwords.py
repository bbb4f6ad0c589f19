"""How passwords are hashed, verified and moved to newer hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sys
import threading
import time
import unicodedata
from collections.abc import Callable

import bcrypt
import pytest
from flask import Flask

from oidc_server import accounts, settings
from oidc_server.accounts import passwords, sign_ins, store
from oidc_server.accounts.hash_slots import Busy, HashSlots
from oidc_server.accounts.passwords import MAX_LENGTH, Passwords, current_passwords
from oidc_server.database import db

from .conftest import PASSWORD, Attempt

SECRET = "first-" + "0123456789abcdef" * 3


def made_with(**overrides: object) -> Passwords:
    values = {"environment": "testing", "secret_key": SECRET, "bcrypt_cost": 4} | overrides
    return Passwords(settings.load({}, **values))


@pytest.mark.row("PW-01")
def test_passwords_equal_in_the_first_72_bytes_are_different() -> None:
    hasher = made_with()
    stored = hasher.hash("a" * 72 + "one")

    assert hasher.verify("a" * 72 + "one", stored)
    assert not hasher.verify("a" * 72 + "two", stored)
    assert not hasher.verify("a" * 72, stored)


@pytest.mark.row("PW-02")
def test_what_follows_a_nul_byte_counts() -> None:
    hasher = made_with()
    stored = hasher.hash("abcdefghijklmno\0x")

    assert hasher.verify("abcdefghijklmno\0x", stored)
    assert not hasher.verify("abcdefghijklmno\0y", stored)
    assert not hasher.verify("abcdefghijklmno", stored)


@pytest.mark.row("PW-03")
@pytest.mark.parametrize("password", ["é" * 64, "🦊" * 256, "a b" * 1000, "密码" * 32, "x" * MAX_LENGTH])
def test_long_and_unicode_passwords_are_welcome(attempt: Attempt, password: str) -> None:
    account = store.create("longpassword", password)

    assert attempt("longpassword", password) == "ok"
    assert attempt("longpassword", password[:-1]) == "wrong"
    assert account.password_hash is not None


@pytest.mark.row("PW-04")
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_normal_form_of_a_password_signs_in(attempt: Attempt, form: str) -> None:
    password = "Ångström ﬁlé über Åland"
    store.create("normal", password)

    assert attempt("normal", unicodedata.normalize(form, password)) == "ok"  # type: ignore[arg-type]
    assert attempt("normal", password.casefold()) == "wrong"


@pytest.mark.row("PW-06")
def test_a_password_too_long_to_be_one_is_refused_before_any_work(attempt: Attempt) -> None:
    megabyte = "x" * 1_000_000
    started = time.perf_counter()

    assert attempt("alice", megabyte) == "wrong"
    assert time.perf_counter() - started < 0.5
    with pytest.raises(accounts.PasswordRefused):
        store.create("huge", megabyte)


@pytest.mark.row("PW-06")
def test_a_crowd_is_hashed_a_few_at_a_time_and_the_rest_told_to_come_back(app: Flask) -> None:
    with app.app_context():
        # A hash that takes long enough for everybody to arrive meanwhile.
        slow = f"bcrypt-hmac-sha256$v1${bcrypt.hashpw(b'x', bcrypt.gensalt(12)).decode()}${current_passwords().peppers.current_id}"
        account = store.find_by_login("alice")
        assert account is not None
        account.password_hash = slow
        db.session.commit()
    outcomes: list[str] = []
    barrier = threading.Barrier(30)

    def sign_in(number: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                accounts.authenticate("alice", "wrong", network=f"192.0.2.{number}", device=None)
            except accounts.WrongCredentials:
                outcomes.append("wrong")
            except accounts.Busy as error:
                assert error.retry_after >= 1
                outcomes.append("busy")

    threads = [threading.Thread(target=sign_in, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= outcomes.count("wrong") < 30
    assert outcomes.count("busy") == 30 - outcomes.count("wrong")
    with app.app_context(), pytest.raises(accounts.WrongCredentials):  # and nobody is refused for good
        accounts.authenticate("bob", "wrong", network="192.0.2.1", device=None)


@pytest.mark.row("PW-06")
def test_no_more_than_the_slots_run_at_once() -> None:
    slots = HashSlots(2, waiting=1)
    running: list[int] = []
    most: list[int] = []
    refused: list[int] = []

    def work(number: int) -> None:
        try:
            with slots.admit(), slots.turn():
                running.append(number)
                most.append(len(running))
                all_have_tried.wait(10)
                time.sleep(0.05)
                running.remove(number)
        except Busy:
            refused.append(number)
            if len(refused) == 7:
                all_have_tried.set()

    all_have_tried = threading.Event()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == 2
    assert len(most) == 3
    assert len(refused) == 7


@pytest.mark.row("PW-08")
def test_a_hash_of_another_cost_is_replaced_at_the_next_sign_in(
    attempt: Attempt, make_app: Callable[..., Flask]
) -> None:
    before = store.find_by_login("alice")
    assert before is not None and before.password_hash is not None
    old = before.password_hash
    with make_app(bcrypt_cost=5).app_context():
        accounts.authenticate("alice", PASSWORD, network="192.0.2.1", device=None)
        after = store.find_by_login("alice")
        assert after is not None and after.password_hash is not None

        assert after.password_hash.startswith("bcrypt-hmac-sha256$v1$$2b$05$")
        assert after.password_hash != old
        assert after.password_changed_at == before.password_changed_at  # sessions go on
        accounts.authenticate("alice", PASSWORD, network="192.0.2.1", device=None)
        unchanged = store.find_by_login("alice")
        assert unchanged is not None and unchanged.password_hash == after.password_hash


@pytest.mark.row("PW-08")
def test_a_wrong_password_leaves_the_old_hash(attempt: Attempt, make_app: Callable[..., Flask]) -> None:
    before = store.find_by_login("alice")
    with make_app(bcrypt_cost=5).app_context():
        with pytest.raises(accounts.WrongCredentials):
            accounts.authenticate("alice", "wrong", network="192.0.2.1", device=None)
        after = store.find_by_login("alice")

        assert before is not None and after is not None
        assert after.password_hash == before.password_hash


@pytest.mark.row("PW-08")
def test_a_password_set_while_the_old_one_was_being_checked_wins(attempt: Attempt) -> None:
    account = store.find_by_login("alice")
    assert account is not None and account.password_hash is not None
    verified = account.password_hash
    counted = accounts.throttle.reserve(account.id, account_id=account.id, network="192.0.2.1", device=None)

    store.set_password(account.id, "another good long password")

    assert sign_ins.record_sign_in(counted, account.id, verified, "rehashed") is None
    assert attempt("alice", "another good long password") == "ok"


@pytest.mark.row("PW-09")
@pytest.mark.parametrize(
    "junk", [None, 1, ["correct horse battery staple"], {"a": 1}, b"correct horse battery staple", True]
)
def test_what_is_no_text_is_no_password(context: None, junk: object) -> None:
    with pytest.raises(TypeError):
        accounts.authenticate("alice", junk, network="192.0.2.1", device=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        accounts.authenticate(junk, PASSWORD, network="192.0.2.1", device=None)  # type: ignore[arg-type]


@pytest.mark.row("PW-09")
def test_a_lone_surrogate_is_a_wrong_password_and_not_an_accident(attempt: Attempt) -> None:
    assert attempt("alice", "\ud800" * 20) == "wrong"
    assert attempt("\ud800", PASSWORD) == "wrong"
    with pytest.raises(accounts.PasswordRefused):
        store.create("surrogate", "\ud800" * 20)


@pytest.mark.row("PW-10")
def test_bcrypt_sees_the_keyed_hash_of_the_password_and_nothing_else() -> None:
    hasher = made_with(password_pepper="a pepper of the operator's own, long enough")
    scheme, version, rest = hasher.hash(PASSWORD).split("$", 2)
    hashed, _, pepper_id = rest.rpartition("$")
    mac = hmac.digest(b"a pepper of the operator's own, long enough", PASSWORD.encode(), hashlib.sha256)

    assert (scheme, version, len(pepper_id)) == ("bcrypt-hmac-sha256", "v1", 8)
    assert bcrypt.checkpw(base64.b64encode(mac), hashed.encode())


def test_a_changed_secret_key_keeps_verifying_while_the_earlier_one_is_named() -> None:
    stored = made_with().hash(PASSWORD)
    rotated = made_with(secret_key="second-" + SECRET, secret_key_fallbacks=(SECRET,))

    assert rotated.verify(PASSWORD, stored)
    assert rotated.needs_rehash(stored)
    assert not rotated.needs_rehash(rotated.hash(PASSWORD))
    assert not made_with(secret_key="second-" + SECRET).verify(PASSWORD, stored)


def test_a_pepper_configured_later_keeps_earlier_hashes() -> None:
    stored = made_with().hash(PASSWORD)
    peppered = made_with(password_pepper="a pepper of the operator's own, long enough")

    assert peppered.verify(PASSWORD, stored)
    assert peppered.needs_rehash(stored)


@pytest.mark.parametrize(
    "stored", ["", "x", "md5$abc", "bcrypt-hmac-sha256$v2$x$y", "bcrypt-hmac-sha256$v1$junk$junk", "$2b$12$x"]
)
def test_a_hash_that_cannot_be_read_matches_nothing(stored: str) -> None:
    hasher = made_with()

    assert not hasher.verify(PASSWORD, stored)
    assert not hasher.verify("", stored)
    assert hasher.needs_rehash(stored)


def test_another_scheme_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(passwords.SCHEMES, "reversed", lambda rest, password, peppers: rest == password[::-1])
    hasher = made_with()

    assert hasher.verify("abc", "reversed$cba")
    assert not hasher.verify("abc", "reversed$abc")
    assert hasher.needs_rehash("reversed$cba")


def test_made_passwords_are_good_and_differ() -> None:
    made = {passwords.generate() for _ in range(50)}

    assert len(made) == 50
    assert all(len(password) == 23 for password in made)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux alone")
def test_hashes_are_computed_behind_the_threads_that_answer_requests() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert HashSlots(2, waiting=1).compute(priority) > priority()


def test_what_goes_wrong_in_a_hash_reaches_the_request_and_frees_the_slot() -> None:
    slots = HashSlots(1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            slots.compute(lambda: 1 // 0)
    assert slots.compute(lambda: 7) == 7
