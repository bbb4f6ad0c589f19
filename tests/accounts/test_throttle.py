"""Guessing is slow from wherever it comes, and nobody is locked out by it."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import accounts
from oidc_server.accounts import throttle
from oidc_server.accounts.passwords import Passwords
from oidc_server.accounts.throttle import SignInFailures
from oidc_server.accounts.throttle import store as throttle_store
from oidc_server.accounts.throttle.buckets import ACCOUNT, NETWORK, PAIR, SITE, bucket, buckets_of_stranger
from oidc_server.database import db, transact

from ..flows import Clock
from .conftest import ELSEWHERE, HOME, PASSWORD, Attempt, alice_id, failures_of


@pytest.mark.row("BF-01")
def test_waits_grow_after_five_failures_up_to_a_quarter_of_an_hour(attempt: Attempt, clock: Clock) -> None:
    assert [attempt() for _ in range(6)] == ["wrong"] * 5 + ["wait 2"]
    waits = []
    for _ in range(12):
        wait = int(attempt().removeprefix("wait "))
        waits.append(wait)
        clock.advance(wait)
        assert attempt() == "wrong"

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


@pytest.mark.thorough
@pytest.mark.row("BF-01")
def test_a_thousand_guesses_from_everywhere_are_never_more_than_a_hundred_in_a_row(attempt: Attempt) -> None:
    outcomes = Counter(attempt(network=f"10.1.{number % 4}.{number // 4}").split()[0] for number in range(1000))

    assert outcomes["wrong"] == 100
    assert attempt(password=PASSWORD, network="10.9.9.9") == "wait 900"


@pytest.mark.row("BF-01")
def test_a_success_empties_the_count(attempt: Attempt) -> None:
    for _ in range(3):
        assert [attempt() for _ in range(4)] == ["wrong"] * 4
        assert attempt(password=PASSWORD) == "ok"

    assert failures_of(alice_id()) == 0


@pytest.mark.row("BF-01")
def test_a_quiet_day_is_forgiven(attempt: Attempt, clock: Clock) -> None:
    assert [attempt() for _ in range(6)][-1] == "wait 2"
    clock.advance(86400 + 1)

    assert [attempt() for _ in range(5)] == ["wrong"] * 5


@pytest.mark.row("BF-02")
def test_spraying_many_names_from_one_network_is_slowed_down(attempt: Attempt, clock: Clock) -> None:
    outcomes = Counter(attempt(f"person{number}").split()[0] for number in range(300))
    assert 100 <= outcomes["wrong"] <= 105
    clock.advance(60)
    later = Counter(attempt(f"person{number}").split()[0] for number in range(300, 330))

    assert 9 <= later["wrong"] <= 11  # one in six seconds
    assert attempt("someone", network="198.51.100.99") == "wrong"  # other networks go on


@pytest.mark.row("BF-02")
def test_an_account_of_his_own_does_not_help_the_sprayer(attempt: Attempt) -> None:
    for number in range(100):
        assert attempt(f"person{number}") == "wrong"
        if number % 20 == 19 and number < 99:
            assert attempt("bob", PASSWORD) == "ok"

    assert attempt("onemore").startswith("wait")


@pytest.mark.row("BF-05")
def test_every_name_of_an_account_fills_one_count(attempt: Attempt) -> None:
    names = ["alice", "ALICE", "ａｌｉｃｅ", "alice@example.test", "Alice@EXAMPLE.test", " alice "]

    assert [attempt(name) for name in names] == ["wrong"] * 5 + ["wait 2"]
    assert {accounts.counter_key(name) for name in names} == {alice_id()}


@pytest.mark.row("BF-05")
def test_every_spelling_of_an_unknown_name_fills_one_count(attempt: Attempt) -> None:
    names = ["nobody", "NOBODY", "ｎｏｂｏｄｙ", " nobody", "Nobody ", "noBody"]

    assert [attempt(name) for name in names] == ["wrong"] * 5 + ["wait 2"]


@pytest.mark.row("BF-08")
@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_of_a_hundred_guesses_at_once_five_are_looked_at(
    app: Flask, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    looked_at: list[str] = []
    outcomes: list[str] = []
    barrier = threading.Barrier(100)
    verify = Passwords.verify

    def watched(self: Passwords, password: str, stored: str | None) -> bool:
        looked_at.append(password)
        return verify(self, password, stored)

    monkeypatch.setattr(Passwords, "verify", watched)

    def guess(number: int) -> None:
        with app.app_context():
            barrier.wait()
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    accounts.authenticate(login, f"guess {number}", network=ELSEWHERE, device=None)
                except accounts.Busy:
                    time.sleep(0.02)  # come back until there is an answer
                except accounts.WrongCredentials:
                    outcomes.append("wrong")
                    return
                except accounts.TooManyAttempts:
                    outcomes.append("wait")
                    return

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # A wait of two seconds may pass on a slow machine, and then lets one more through.
    assert 5 <= len(looked_at) <= 7
    assert outcomes.count("wait") == 100 - len(looked_at)


@pytest.mark.row("BF-10")
def test_random_names_fill_a_table_that_stays_bounded(
    context: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle_store, "MAX_ROWS", 100)
    for number in range(60):
        throttle.reserve(f"name x{number}", account_id=None, network=f"10.0.0.{number}", device=None)
    for _ in range(5):
        throttle.reserve("name victim", account_id=None, network="10.9.9.9", device=None)
    for _ in range(5):
        transact(lambda: throttle.purge(20))
    rows = db.session.scalar(sa.select(sa.func.count()).select_from(SignInFailures))
    assert rows == 100
    assert failures_of("name victim") == 5  # the flood goes first

    clock.advance(86400 + 1)
    while transact(lambda: throttle.purge(20)):
        pass
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SignInFailures)) == 0


@pytest.mark.row("BF-10")
def test_an_account_knows_a_bounded_number_of_devices(attempt: Attempt, clock: Clock) -> None:
    for number in range(25):
        clock.advance(1)
        assert attempt(password=PASSWORD, network=HOME, device=f"browser {number}") == "ok"
    known = sa.select(sa.func.count()).select_from(throttle.KnownDevice)
    assert db.session.scalar(known.where(throttle.KnownDevice.account_id == alice_id())) == 20
    assert accounts.sign_in_identity("alice", network=ELSEWHERE, device="browser 24")[1].startswith("device ")
    assert accounts.sign_in_identity("alice", network=ELSEWHERE, device="browser 0")[1] == ELSEWHERE

    clock.advance(181 * 86400)
    transact(lambda: throttle.purge(100))
    assert db.session.scalar(known.where(throttle.KnownDevice.account_id == alice_id())) == 0


@pytest.mark.row("BF-11")
def test_the_networks_of_one_site_are_counted_together_too() -> None:
    one, other = (buckets_of_stranger("x", f"2001:db8:1:{number}::/64") for number in (1, 2))
    kinds = {found.kind.name: found.key for found in one}

    assert kinds.keys() == {"account", "pair", "network", "site"}
    assert kinds["site"] in {found.key for found in other}
    assert kinds["network"] not in {found.key for found in other}
    assert "site" not in {found.kind.name for found in buckets_of_stranger("x", "192.0.2.1")}


def test_an_attempt_that_found_no_hash_slot_is_not_counted(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: Passwords, password: str, stored: str | None) -> bool:
        raise accounts.Busy

    with monkeypatch.context() as patched:
        patched.setattr(Passwords, "verify", busy)
        assert [attempt() for _ in range(8)] == ["busy"] * 8

    assert failures_of(alice_id()) == 0
    assert [attempt() for _ in range(5)] == ["wrong"] * 5


def test_a_refused_attempt_writes_nothing(attempt: Attempt) -> None:
    for _ in range(5):
        attempt()
    rows = sa.select(SignInFailures.bucket, SignInFailures.failures, SignInFailures.last_at).order_by(
        SignInFailures.bucket
    )
    before = db.session.execute(rows).all()
    db.session.rollback()
    assert attempt(device="never seen") == "wait 2"

    assert db.session.execute(rows).all() == before


def test_a_clock_set_back_makes_nobody_wait_longer(attempt: Attempt, clock: Clock) -> None:
    for _ in range(5):
        attempt()
    clock.advance(-3600)

    assert attempt() == "wait 2"


def test_each_kind_of_bucket_has_rows_of_its_own() -> None:
    assert len({bucket(kind, "x").key for kind in (PAIR, ACCOUNT, NETWORK, SITE)}) == 4
    assert bucket(PAIR, "a", "b").key != bucket(PAIR, "ab", "").key
