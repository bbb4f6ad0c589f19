"""The account that a sign-up ends with, and the language in which its person is written to."""

from __future__ import annotations

from typing import Any

from ..accounts import Account, proofs, store
from . import usernames

# Tries to find a user name that is free, for a person who chose none.
_TRIES = 4


def insert(
    address: str,
    name: str | None,
    claims: dict[str, Any],
    made: str,
    *,
    is_verified: bool,
    roles: list[str] | None = None,
    groups: list[str] | None = None,
) -> Account:
    """A new account with the hash of its password, inside the caller's transaction. Raises AccountExists."""
    for attempt in range(_TRIES):
        chosen = name or usernames.for_address(address)
        if name is None and attempt:
            chosen = usernames.numbered(chosen)
        if name is None and attempt < _TRIES - 1 and store.find_by_login(chosen) is not None:
            continue
        account = store.create(
            chosen,
            email=address,
            email_verified=is_verified,
            claims=claims,
            roles=roles or (),
            groups=groups or (),
        )
        return proofs.set_hash(account.id, made, keep_sessions=True)
    raise AssertionError("unreachable")


def mail_language(account: Account, language: str | None) -> str | None:
    """The language of the person where it is known, else the one of the request."""
    return account.claims.get("locale") or language
