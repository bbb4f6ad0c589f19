"""A user name for a person who chose none: what stands before the @ of the address, as far as that is one."""

from __future__ import annotations

import re
import secrets

from ..accounts import IdentifierRefused, store
from ..accounts.identifiers import MAX_USERNAME_LENGTH, username_of
from ..server import current_server

_UNUSABLE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)
_FALLBACK = "person"
_DIGITS = 5


def for_address(email: str, *, numbered: bool = False) -> str:
    """A user name that is free a moment long. With `hide_accounts` it always has a number, so that it tells of no other name (EN-04)."""
    base = _base(email)
    if numbered or current_server.settings.hide_accounts or store.find_by_login(base) is not None:
        return with_number(base)
    return base


def with_number(name: str) -> str:
    """The name with a number behind it that nobody can count with (EN-08)."""
    number = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    return f"{name[: MAX_USERNAME_LENGTH - _DIGITS - 1].rstrip('._-')}-{number}"


def _base(email: str) -> str:
    # What follows a plus sign sorts the person's mail and concerns nobody.
    local_part = email.rpartition("@")[0].partition("+")[0].lower()
    kept = _UNUSABLE.sub("-", local_part).strip("._-")[: MAX_USERNAME_LENGTH - _DIGITS - 1]
    try:
        return username_of(kept)
    except IdentifierRefused:
        return _FALLBACK
