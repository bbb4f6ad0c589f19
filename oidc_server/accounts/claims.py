"""What is known about a person, as claims: by scope, and those asked for by name (OIDC Core §5.1, §5.4, §5.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .client_roles import roles_at
from .models import Account

#: scope -> the claims it stands for (OIDC Core §5.4; `roles` and `groups` are ours)
CLAIMS_OF_SCOPE: dict[str, tuple[str, ...]] = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile"),
        *("picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    "roles": ("roles",),
    "groups": ("groups",),
}
# Roles and groups open doors, so they follow their scopes alone and are not to be had by naming them.
REQUESTABLE = frozenset(name for scope in ("profile", "email", "address", "phone") for name in CLAIMS_OF_SCOPE[scope])

ADDRESS_MEMBERS = ("formatted", "street_address", "locality", "region", "postal_code", "country")

_MAX_LENGTH = 1000
_MAX_NAME_LENGTH = 100
_MAX_NAMES = 200
_LINES_ALLOWED = frozenset({"formatted", "street_address"})


class ClaimRefused(ValueError):
    """A claim, role or group cannot be kept; the message says why, in words for the person at the command line."""


def claims_for(
    account: Account,
    scopes: Collection[str],
    requested: Mapping[str, Any] | None = None,
    *,
    client_id: str | None = None,
) -> dict[str, Any]:
    """The claims of these scopes and of the `claims` request for one place (`userinfo` or `id_token`), never empty.

    A value that a client asks for is no filter: the claim tells what is so (OIDC Core §5.5.1). `roles` are those that the
    person has everywhere, then those at the client that asks.
    """
    names = {name for scope in scopes for name in CLAIMS_OF_SCOPE.get(scope, ())}
    names |= REQUESTABLE & (requested or {}).keys()
    found = known_claims(account)
    if client_id is not None and "roles" in names and (own := roles_at(account.id, client_id)):
        found["roles"] = list(dict.fromkeys([*account.roles, *own]))
    return {name: found[name] for name in found if name in names}


def known_claims(account: Account) -> dict[str, Any]:
    """Every claim there is about a person, without those that would be empty."""
    found = {
        "preferred_username": account.username,
        **account.claims,
        "updated_at": int(account.updated_at),
        "email": account.email,
        "email_verified": account.email_verified if account.email else None,
        "roles": list(account.roles),
        "groups": list(account.groups),
    }
    return {name: value for name, value in found.items() if value is not None and value not in ("", [], {})}


def standard_claims(given: Mapping[str, Any]) -> dict[str, Any]:
    """The standard claims as they are kept, of the right types (OIDC Core §5.1). Raises ClaimRefused."""
    kept: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _CHECKS:
            raise ClaimRefused(f"{name!r} is no standard claim that is kept; use one of {', '.join(sorted(_CHECKS))}.")
        if value is not None and value not in ("", {}):
            kept[name] = _CHECKS[name](name, value)
    if kept.get("phone_number_verified") is not None and "phone_number" not in kept:
        raise ClaimRefused("phone_number_verified says something about phone_number, which is missing.")
    return kept


def names_of(kind: str, given: Iterable[str]) -> list[str]:
    """Roles or groups as they are kept: each once, in the order given. Raises ClaimRefused."""
    names = list(dict.fromkeys(given))
    if len(names) > _MAX_NAMES:
        raise ClaimRefused(f"At most {_MAX_NAMES} {kind} fit into a token.")
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > _MAX_NAME_LENGTH or not name.isprintable():
            raise ClaimRefused(f"The names of {kind} have 1 to {_MAX_NAME_LENGTH} visible characters.")
    return names


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        raise ClaimRefused(f"{name} must be a text of at most {_MAX_LENGTH} characters.")
    lines = value.split("\n") if name in _LINES_ALLOWED else [value]
    if not all(line.isprintable() for line in lines):
        raise ClaimRefused(f"{name} holds a line break or a character that nobody sees.")
    return value


def _url(name: str, value: Any) -> str:
    try:
        parts = urlsplit(_text(name, value))
    except ValueError as error:
        raise ClaimRefused(f"{name} must be an https URL.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClaimRefused(f"{name} must be an https URL.")
    return str(value)


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ClaimRefused(f"{name} must be true or false.")
    return value


def _birthdate(name: str, value: Any) -> str:
    if not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?", _text(name, value), re.ASCII):
        raise ClaimRefused("birthdate is written YYYY-MM-DD, 0000-MM-DD without the year, or YYYY alone.")
    return str(value)


def _address(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value.keys() <= set(ADDRESS_MEMBERS):
        raise ClaimRefused(f"address is an object of {', '.join(ADDRESS_MEMBERS)} (OIDC Core §5.1.1).")
    return {member: _text(member, text) for member, text in value.items() if text}


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username"), _text),
    **dict.fromkeys(("gender", "zoneinfo", "locale", "phone_number"), _text),
    **dict.fromkeys(("profile", "picture", "website"), _url),
    "birthdate": _birthdate,
    "phone_number_verified": _truth,
    "address": _address,
}
