"""A code that somebody typed as their second factor: counted before it is looked at, used up when it is right.

The counters are those of passwords, kept apart by name: a right password forgives no wrong code (attacks: SE-11, BF-09).
They slow guessing down and lock nobody out for good: browsers and networks that signed in before have a count of their own,
and a new password opens the doors that guessing closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import audit, rate_limits
from ..accounts import Account, TooManyAttempts, throttle
from ..database import transact
from . import recovery_codes, totp

_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
_SPACE = re.compile(r"[\s\-]+")
_MAX_LENGTH = 100


class WrongCode(Exception):
    """The code is none of the account's, was used before, or its time is over. Which of these is in the audit log alone."""


@dataclass(frozen=True)
class Proof:
    """What was proven: the kind of factor, and its value for `amr` (RFC 8176)."""

    kind: str
    amr: str


def prove(account: Account, text: str, *, network: str, device: str | None) -> Proof:
    """Check a code of an authenticator app or a recovery code, and use it up. Not to be called inside transact().

    Raises WrongCode, accounts.TooManyAttempts and rate_limits.RateLimited.
    """
    who = throttle.of_second_factor(account.id)
    rate_limits.hit("sign_in", who, throttle.counted_from(account.id, network, device))
    try:
        attempt = throttle.reserve(who, account_id=account.id, network=network, device=device)
    except TooManyAttempts as error:
        audit.record(audit.FACTOR_THROTTLED, account_id=account.id, network=network, retry_after=error.retry_after)
        raise

    def use() -> Proof | None:
        found = _use(account.id, text)
        if found is not None:
            throttle.forgive(attempt, who)
        return found

    proof = transact(use)
    if proof is None:
        audit.record(audit.FACTOR_FAILED, account_id=account.id, network=network, kind=_kind_of(text))
        raise WrongCode
    if proof.kind == "recovery_code":
        audit.record(audit.RECOVERY_CODE_USED, account_id=account.id, remaining=recovery_codes.remaining(account.id))
    return proof


def is_totp(text: str) -> bool:
    """Whether a text has the form of a code of an authenticator app, which apps show with a space in the middle."""
    return _DIGITS.fullmatch(plain(text)) is not None


def plain(text: str) -> str:
    """The digits alone."""
    return _SPACE.sub("", text)


def _use(account_id: str, text: str) -> Proof | None:
    if len(text) > _MAX_LENGTH:
        return None
    if is_totp(text):
        return Proof(totp.KIND, totp.AMR) if totp.use(account_id, plain(text)) else None
    if recovery_codes.is_one(text) and recovery_codes.use(account_id, text):
        return Proof("recovery_code", recovery_codes.AMR)
    return None


def _kind_of(text: str) -> str:
    if len(text) > _MAX_LENGTH:
        return "too long"
    return totp.KIND if is_totp(text) else "recovery_code" if recovery_codes.is_one(text) else "malformed"
