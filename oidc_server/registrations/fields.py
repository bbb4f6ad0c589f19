"""What is wrong with what somebody typed to sign up, all of it at once, in words for the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..accounts import ClaimRefused, IdentifierRefused, PasswordRefused
from ..accounts.claims import standard_claims
from ..accounts.identifiers import email_of, username_of
from ..accounts.password_policy import require_good
from ..languages import translate
from ..server import current_server

Problems = dict[str, list[str]]
_LONGEST_NAME = 100


def claims_of(form: Mapping[str, str]) -> dict[str, Any]:
    """What the person says of themselves."""
    name = form.get("name", "").strip()
    return {"name": name} if name else {}


def problems_of(form: Mapping[str, str], email: str) -> Problems:
    """Field -> sentences; empty when every field can be used."""
    found: Problems = {}
    try:
        email_of(email)
    except IdentifierRefused as error:
        found["email"] = [str(error)]
    try:
        username_of(form.get("username", "")) if form.get("username") else None
    except IdentifierRefused as error:
        found["username"] = [str(error)]
    try:
        standard_claims(claims_of(form))
        if len(form.get("name", "")) > _LONGEST_NAME:
            raise ClaimRefused("too long")
    except ClaimRefused:
        found["name"] = [translate("Use at most 100 letters, on one line.")]
    if reasons := password_problems(form.get("password", ""), form.get("username"), email):
        found["password"] = reasons
    return found


def taken(field: str) -> Problems:
    """What to say at the field, `email` or `username`, of which AccountExists tells."""
    if field == "username":
        return {"username": [translate("This user name is taken. Choose another, or none.")]}
    return {"email": [translate("This address already has an account.")]}


def password_problems(password: str, *names: str | None) -> list[str]:
    """Why this password cannot be used."""
    if not password:
        return [translate("Choose a password.")]
    try:
        require_good(password, current_server.settings, names=names)
    except PasswordRefused as error:
        return error.reasons
    return []
