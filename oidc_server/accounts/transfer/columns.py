"""What may be said of a person in a line, as text (CSV) or typed (JSON), and how it becomes columns of the table."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ... import strict_json
from ...database import now
from ..claims import CLAIMS_OF_SCOPE, ClaimRefused, names_of, standard_claims
from ..hashes import HashRefused
from ..identifiers import IdentifierRefused, email_of, key_of, username_of
from ..passwords import current_passwords

_OWN = {"email", "email_verified", "updated_at", "roles", "groups"}
#: The standard claims, in the order of the specification (OIDC Core §5.1).
CLAIMS = tuple(
    name
    for scope in ("profile", "phone", "address")
    for name in CLAIMS_OF_SCOPE[scope]
    # The user name stands for preferred_username unless somebody has another.
    if name not in _OWN
)
COLUMNS = (
    *("username", "email", "email_verified", *CLAIMS, "roles", "groups", "client_roles"),
    *("disabled", "created_at", "sub", "password_hash"),
)
_KNOWN = frozenset(COLUMNS)
_BOOLEANS = ("email_verified", "phone_number_verified", "disabled")
_JSON = ("address", "client_roles")
_LISTS = ("roles", "groups")
_SUB = re.compile(r"[0-9a-f]{32}", re.ASCII)
_TRUTH = {"true": True, "false": False}
# Clocks differ; a time further ahead was given in milliseconds.
_AHEAD = 86400


class LineRefused(ValueError):
    """A line cannot be taken over; `reasons` are sentences for the operator and never repeat a hash."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@dataclass
class Person:
    """One line that was understood. `columns` are those of the table `accounts`, only what the line says."""

    line: int
    columns: dict[str, Any]
    claims: dict[str, Any]
    client_roles: dict[str, list[str]] = field(default_factory=dict)

    @property
    def username(self) -> str:
        return str(self.columns["username"])


def from_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a CSV line as the values that JSON would have; an empty cell says nothing. Raises LineRefused."""
    values: dict[str, Any] = {}
    for name, cell in texts.items():
        text = unguarded(cell)
        if not text:
            continue
        if name in _BOOLEANS:
            if text.lower() not in _TRUTH:
                raise LineRefused(f"{name} is written true or false.")
            values[name] = _TRUTH[text.lower()]
        elif name in _JSON or (name in _LISTS and text.startswith("[")):
            try:
                values[name] = strict_json.loads(text)
            except ValueError as error:
                raise LineRefused(f"{name} is no JSON.") from error
        elif name in _LISTS:
            values[name] = [one.strip() for one in text.split(";") if one.strip()]
        else:
            values[name] = text
    return values


def to_text(name: str, value: Any) -> str:
    """A value as a cell of CSV, from which from_texts() reads it again."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if name in _LISTS and not any(";" in one or one != one.strip() or one.startswith("[") for one in value):
        return guarded(";".join(value))
    return guarded(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


# A spreadsheet computes a cell that begins so, and what it computes may send the others away (OWASP, CSV injection).
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(text: str) -> str:
    """A cell that a spreadsheet shows and does not compute: an apostrophe before it, taken off again by unguarded()."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def person_of(line: int, values: Mapping[str, Any]) -> Person:
    """The person of a line, all that is wrong with it said at once. Raises LineRefused."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    unknown = sorted(given.keys() - _KNOWN)
    if unknown:
        raise LineRefused(f"Nothing is known of {', '.join(repr(name[:40]) for name in unknown[:5])}.")
    if "username" not in given:
        raise LineRefused("The username is missing.")
    reasons: list[str] = []
    columns: dict[str, Any] = {}
    for name, read in _READERS.items():
        if name in given:
            try:
                columns |= read(given[name])
            except (LineRefused, IdentifierRefused, ClaimRefused, HashRefused) as error:
                reasons.append(f"{name}: {error}")
    claims: dict[str, Any] = {}
    at_clients: dict[str, list[str]] = {}
    try:
        claims = standard_claims({name: given[name] for name in CLAIMS if name in given})
        at_clients = _client_roles(given.get("client_roles", {}))
    except (ClaimRefused, LineRefused) as error:
        reasons.append(str(error))
    if columns.get("email_verified") and "email" not in given:
        reasons.append("email_verified says something about email, which is missing.")
    if reasons:
        raise LineRefused(*reasons)
    return Person(line, columns, claims, at_clients)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise LineRefused("must be a text.")
    return value


def _username(value: Any) -> dict[str, Any]:
    name = username_of(_text(value))
    return {"username": name, "username_key": key_of(name)}


def _email(value: Any) -> dict[str, Any]:
    address = email_of(_text(value))
    return {"email": address, "email_key": key_of(address)}


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise LineRefused("must be true or false.")
    return value


def _names(kind: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise LineRefused("must be a list of texts.")
    return names_of(kind, value)


def _client_roles(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise LineRefused('client_roles is an object such as {"client_id": ["editor"]}.')
    return {client_id: _names("roles", roles) for client_id, roles in value.items()}


def _sub(value: Any) -> dict[str, Any]:
    if not _SUB.fullmatch(_text(value)):
        raise LineRefused("must be 32 hexadecimal digits in lower case, such as a UUID without its dashes.")
    return {"id": value}


def _created_at(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise LineRefused("is written as 2026-01-31T12:00:00Z.") from error
        if moment.tzinfo is None:
            raise LineRefused("says no time zone; end it with Z for UTC.")
        value = moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise LineRefused("is a time such as 2026-01-31T12:00:00Z, or seconds since 1970.")
    if not 0 <= value <= now() + _AHEAD:
        raise LineRefused("lies ahead, or before 1970; a number counts seconds, not milliseconds.")
    return {"created_at": float(value)}


def written_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


# column -> what it sets in the table
_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "username": _username,
    "email": _email,
    "email_verified": lambda value: {"email_verified": _truth(value)},
    "roles": lambda value: {"roles": _names("roles", value)},
    "groups": lambda value: {"groups": _names("groups", value)},
    "disabled": lambda value: {"disabled": _truth(value)},
    "created_at": _created_at,
    "sub": _sub,
    # A Keycloak credential may stand there as the object that it is.
    "password_hash": lambda value: {
        "password_hash": current_passwords().adopt(json.dumps(value) if isinstance(value, dict) else _text(value))
    },
}
