"""A person who signs in from somewhere, right or wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oidc_server import accounts

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
