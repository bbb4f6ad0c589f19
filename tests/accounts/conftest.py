"""A person who signs in from somewhere, right or wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from oidc_server import accounts
from oidc_server.accounts import store
from oidc_server.accounts.throttle import SignInFailures
from oidc_server.accounts.throttle.buckets import ACCOUNT, bucket
from oidc_server.database import db

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"
PASSWORD = "correct horse battery staple"

Attempt = Callable[..., str]


@pytest.fixture
def attempt(context: None) -> Attempt:
    """Try to sign in and answer what came of it: 'ok', 'wrong', 'busy', or 'wait N'."""

    def try_to_sign_in(
        login: str = "alice", password: str = "wrong", network: str = ELSEWHERE, device: str | None = None
    ) -> str:
        try:
            accounts.authenticate(login, password, network=network, device=device)
        except accounts.WrongCredentials:
            return "wrong"
        except accounts.TooManyAttempts as error:
            return f"wait {error.retry_after}"
        except accounts.Busy:
            return "busy"
        return "ok"

    return try_to_sign_in


def alice_id() -> str:
    account = store.find_by_login("alice")
    assert account is not None
    return account.id


def failures_of(*whom: str) -> float:
    found = db.session.scalar(
        sa.select(SignInFailures.failures).where(SignInFailures.bucket == bucket(ACCOUNT, *whom).key)
    )
    db.session.rollback()
    return found or 0


def close_the_door(attempt: Attempt, login: str = "alice") -> None:
    """A hundred failures in a row, few from each network."""
    for number in range(100):
        assert attempt(login, network=f"192.0.2.{number}") == "wrong"
