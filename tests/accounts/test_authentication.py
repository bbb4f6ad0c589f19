"""Signing in with a password, and what it gives away: nothing."""

from __future__ import annotations

import json
import logging

import bcrypt
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from oidc_server import accounts, database
from oidc_server.accounts import sign_ins, store, throttle
from oidc_server.database import db

from ..flows import Clock
from .conftest import ELSEWHERE, HOME, PASSWORD, Attempt

LOGINS = [
    "alice",
    "alice@example.test",
    "nobody",
    "nobody@example.test",
    "disabled",
    "passwordless",
    "",
    "x" * 5000,
    "\x00",
]


@pytest.fixture
def others(context: None) -> None:
    """Accounts that cannot sign in, each for its own reason."""
    store.disable(store.create("disabled", PASSWORD).id)
    store.create("passwordless")


@pytest.mark.parametrize("login", ["alice", "ALICE ", "alice@example.test", "Alice@Example.TEST"])
def test_the_right_password_signs_in_by_user_name_and_by_address(context: None, clock: Clock, login: str) -> None:
    account = accounts.authenticate(login, PASSWORD, network=HOME, device=None)

    assert account.username == "alice"
    assert account.last_login_at == pytest.approx(database.now(), abs=5)


@pytest.mark.row("EN-01")
@pytest.mark.parametrize("login", LOGINS)
def test_unknown_disabled_and_wrong_look_the_same(others: None, login: str) -> None:
    with pytest.raises(accounts.WrongCredentials) as caught:
        accounts.authenticate(login, "wrong password", network=ELSEWHERE, device=None)

    assert str(caught.value) == ""
    assert caught.value.__cause__ is None


@pytest.mark.row("EN-01")
@pytest.mark.parametrize("login", ["disabled", "passwordless"])
def test_the_right_password_of_a_closed_account_is_a_wrong_one(others: None, login: str) -> None:
    with pytest.raises(accounts.WrongCredentials):
        accounts.authenticate(login, PASSWORD, network=ELSEWHERE, device=None)


@pytest.mark.row("EN-02")
def test_every_failure_costs_one_hash_of_the_configured_cost(others: None, monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[bytes] = []
    checkpw = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        assert len(hashed) == 60
        return checkpw(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    for number, login in enumerate(LOGINS):
        with pytest.raises(accounts.WrongCredentials):
            accounts.authenticate(login, "wrong password", network=f"10.0.0.{number}", device=None)

    assert costs == [b"$2b$04$"] * len(LOGINS)


@pytest.mark.row("EN-02")
def test_every_failure_asks_the_database_the_same_questions(others: None) -> None:
    asked: dict[str, list[str]] = {}

    for number, login in enumerate(["alice", "nobody", "disabled", "passwordless"]):
        heard = asked.setdefault(login, [])

        def hear(_connection: object, _cursor: object, statement: str, *_: object, heard: list[str] = heard) -> None:
            heard.append(statement)

        db.session.rollback()
        db.session.expunge_all()
        event.listen(db.engine, "before_cursor_execute", hear)
        with pytest.raises(accounts.WrongCredentials):
            accounts.authenticate(login, "wrong password", network=f"10.0.0.{number}", device="a browser")
        event.remove(db.engine, "before_cursor_execute", hear)

    assert asked["alice"]
    assert asked["alice"] == asked["nobody"] == asked["disabled"] == asked["passwordless"]


def test_a_success_is_written_in_one_transaction_after_the_count(context: None) -> None:
    commits: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        commits.extend([statement] if statement.startswith("BEGIN IMMEDIATE") else [])

    event.listen(db.engine, "before_cursor_execute", hear)
    accounts.authenticate("alice", PASSWORD, network=HOME, device="a browser")
    event.remove(db.engine, "before_cursor_execute", hear)

    assert len(commits) == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(throttle.KnownDevice)) == 1


def test_an_account_disabled_while_its_password_was_checked_does_not_sign_in(context: None) -> None:
    account = store.find_by_login("alice")
    assert account is not None and account.password_hash is not None
    attempt = throttle.reserve(account.id, account_id=account.id, network=HOME, device=None)
    store.disable(account.id)

    assert sign_ins.record_sign_in(attempt, account.id, account.password_hash, None) is None


def test_enabling_lets_the_person_sign_in_again(attempt: Attempt) -> None:
    account = store.find_by_login("alice")
    assert account is not None
    store.disable(account.id)
    assert attempt(password=PASSWORD) == "wrong"
    store.enable(account.id)

    assert attempt(password=PASSWORD) == "ok"


def test_setting_a_password_moves_the_time_that_sessions_are_compared_with(attempt: Attempt, clock: Clock) -> None:
    account = store.find_by_login("alice")
    assert account is not None and account.password_changed_at is not None
    before = account.password_changed_at
    clock.advance(60)
    changed = store.set_password(account.id, "another good long password")

    assert changed.password_changed_at is not None
    assert changed.password_changed_at >= before + 60
    assert attempt(password=PASSWORD) == "wrong"
    assert attempt(password="another good long password") == "ok"


@pytest.mark.row("LS-05")
def test_the_log_says_why_and_the_answer_does_not(others: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "oidc_server.audit"):
        for login in ("alice", "nobody", "disabled", "passwordless"):
            with pytest.raises(accounts.WrongCredentials):
                accounts.authenticate(login, "wrong password", network=ELSEWHERE, device=None)
        accounts.authenticate("alice", PASSWORD, network=HOME, device=None)
    lines = [json.loads(message) for message in caplog.messages]

    assert [line.get("reason") for line in lines] == ["wrong password", "unknown", "disabled", "no password", None]
    assert [line["event"] for line in lines] == ["sign_in.failed"] * 4 + ["sign_in.ok"]
    assert lines[0]["account_id"] == lines[-1]["account_id"]
    assert lines[0]["network"] == ELSEWHERE


@pytest.mark.row("LS-02")
def test_what_was_typed_is_in_no_log(context: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(accounts.WrongCredentials):
        # People type their password into the field of the name.
        accounts.authenticate("my-secret-passphrase", "canary-password", network=ELSEWHERE, device="canary-device")

    assert caplog.messages
    assert "my-secret-passphrase" not in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.row("LS-04")
def test_nothing_about_a_person_is_printed_with_a_model(context: None) -> None:
    accounts.authenticate("alice", PASSWORD, network=HOME, device="a browser")
    account = store.find_by_login("alice")
    device = db.session.scalar(sa.select(throttle.KnownDevice))
    throttle.reserve("name x", account_id=None, network=HOME, device=None)
    failures = db.session.scalar(sa.select(throttle.SignInFailures))
    assert account is not None and device is not None and failures is not None
    printed = repr([account, device, failures]) + str(account) + f"{account!r}"

    for secret in (account.password_hash, account.username, account.email, device.device_hash, device.network):
        assert str(secret) not in printed
    assert account.id in printed
