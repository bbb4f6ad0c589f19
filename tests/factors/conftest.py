"""People with second factors: Alice gets an authenticator app, and tests type what it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from flask import Flask

from oidc_server import factors
from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from oidc_server.factors import totp


@dataclass
class Phone:
    """An authenticator app with one secret, which never shows the same code twice in a test."""

    secret: bytes
    last: int = field(default=0)

    def code(self) -> str:
        """The next code that the server accepts; at most a step ahead of the clock."""
        self.last = max(self.last + 1, totp.step_now())
        return totp.code_at(self.secret, self.last)

    def present(self) -> str:
        """The code of this very moment."""
        return totp.code_at(self.secret, totp.step_now())


def give_phone(app: Flask, username: str = "alice") -> Phone:
    """An authenticator app of this account, confirmed an hour ago."""
    with app.app_context():
        account = accounts.find_by_login(username)
        assert account is not None
        secret = totp.make_secret()
        step = totp.step_now()
        added = transact(lambda: totp.add(account.id, secret, totp.code_at(secret, step - 1), "Phone"))
        assert added is not None
        return Phone(secret, step - 1)


def give_recovery_codes(app: Flask, username: str = "alice") -> list[str]:
    """Ten recovery codes of this account."""
    with app.app_context():
        account = accounts.find_by_login(username)
        assert account is not None
        return transact(lambda: factors.recovery_codes.make(account.id))


@pytest.fixture
def phone(app: Flask) -> Phone:
    """Alice's authenticator app."""
    return give_phone(app)
