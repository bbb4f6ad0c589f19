"""The account that a sign-up ends with, and the language in which its person is written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..accounts import Account, AccountExists, proofs, store
from ..database import transact
from . import usernames

T = TypeVar("T")

# Tries to find a user name that is free, for a person who chose none.
_TRIES = 4


def with_free_name(name: str | None, address: str, work: Callable[[str], T]) -> T:
    """Run `work(user name)` in a transaction; for a person who chose no name again with another one, if somebody just took it.

    Raises AccountExists.
    """
    for attempt in range(_TRIES):
        chosen = name or usernames.for_address(address, numbered=attempt > 0)
        try:
            return transact(lambda chosen=chosen: work(chosen))  # type: ignore[misc]
        except AccountExists as error:
            if name is not None or error.field != "username" or attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def insert(
    address: str,
    name: str,
    claims: dict[str, Any],
    made: str,
    *,
    is_verified: bool,
    roles: list[str] | None = None,
    groups: list[str] | None = None,
) -> Account:
    """A new account with the hash of its password, inside the caller's transaction. Raises AccountExists."""
    account = store.create(
        name, email=address, email_verified=is_verified, claims=claims, roles=roles or (), groups=groups or ()
    )
    return proofs.set_hash(account.id, made, keep_sessions=True)


def mail_language(account: Account, language: str | None) -> str | None:
    """The language of the person where it is known, else the one of the request."""
    return account.claims.get("locale") or language
