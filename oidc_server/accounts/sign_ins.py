"""What is written down when somebody proved who they are."""

from __future__ import annotations

from ..database import now, transact
from . import throttle
from .models import Account
from .store import locked


def record_sign_in(
    attempt: throttle.Attempt, account_id: str, verified: str, rehashed: str | None, *, is_whole: bool = True
) -> Account | None:
    """Write down a right password, in one transaction: the fresh hash, the counts emptied; the time and the browser if it was all.

    None when the account was disabled or got another password since `verified` was read, so that it was no success.
    """

    def write() -> Account | None:
        fresh = locked(account_id)
        if not fresh.is_active or fresh.password_hash != verified:
            return None
        if rehashed is not None:
            fresh.password_hash = rehashed
        throttle.forgive(attempt, account_id)
        if is_whole:
            fresh.last_login_at = now()
            throttle.remember(attempt, account_id)
        return fresh

    return transact(write)


def record_sign_in_of(account_id: str, *, network: str, device: str | None) -> bool:
    """The time of a sign-in that ended well, and its browser; whether that is news, as throttle.remember() says. Call inside transact()."""
    locked(account_id).last_login_at = now()
    return throttle.remember(throttle.attempt_from(network, device), account_id)
