"""Authorization codes: made at /authorize, spent once at /token. RFC 6749 §4.1.2, RFC 9700 §4.2.4.

A code is a kind of short-lived value; the family that it gives is named after it, so that a replay is recognised.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from flask import current_app

from .. import audit
from ..database import now, transact
from ..server import current_server
from ..tokens import Authorization, Family, families

_KIND = "authorization_code"
# A verifier has 43 characters or more: five tries are for clumsy clients, not for guessing.
_MAX_WRONG_VERIFIERS = 5
# Seconds for which a code_challenge is remembered, to notice a client that always sends the same.
_CHALLENGE_REMEMBERED = 3600
_CHALLENGES_REMEMBERED = 2000


@dataclass(frozen=True)
class AuthorizationCode:
    """A code as Authlib's grant wants to see it; `spent_by` is the family that it gave, when it was used before."""

    text: str
    authorization: Authorization
    issued_at: float
    expires_at: float
    wrong_verifiers: int = 0
    spent_by: Family | None = None

    @property
    def code_challenge(self) -> str:
        return self.authorization.code_challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.authorization.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.authorization.scope)

    def __repr__(self) -> str:
        return f"<AuthorizationCode of client {self.authorization.client_id}>"


def put(text: str, authorization: Authorization) -> None:
    """Store a code. Call inside database.transact()."""
    at = now()
    _notice_repeated_challenge(authorization)
    _write(AuthorizationCode(text, authorization, at, at + current_server.settings.authorization_code_lifetime))


def find(text: str) -> AuthorizationCode | None:
    """The code, live or already spent (then `spent_by` is set); None for an unknown or expired one."""
    value = current_server.storage.read(_KIND, text)
    if value is not None:
        authorization = Authorization(**value["authorization"])
        return AuthorizationCode(text, authorization, value["issued_at"], value["expires_at"], value["wrong_verifiers"])
    family = families.find_by_code(text)
    if family is None:
        return None
    return AuthorizationCode(
        text, families.authorization_of(family), family.created_at, family.created_at, spent_by=family
    )


def spend(code: AuthorizationCode, family: Family) -> bool:
    """Take the code and store the family it gives, in one transaction; False for all but the first of simultaneous callers.

    Whoever comes second shows that the code is in two hands, so the first one's tokens end too (RFC 6749 §4.1.2).
    """

    def take_and_store() -> bool:
        if current_server.storage.take(_KIND, code.text) is not None:
            families.store(family)
            return True
        _revoke_replayed(code)
        return False

    return transact(take_and_store)


def revoke_replayed(code: AuthorizationCode) -> None:
    """End the family of a code that was presented, validly, a second time."""
    transact(lambda: _revoke_replayed(code))


def count_wrong_verifier(code: AuthorizationCode) -> None:
    """Count a wrong code_verifier; the fifth burns the code."""

    def count() -> None:
        value = current_server.storage.take(_KIND, code.text)
        if value is not None and value["wrong_verifiers"] + 1 < _MAX_WRONG_VERIFIERS:
            value["wrong_verifiers"] += 1
            current_server.storage.put(_KIND, code.text, value, value["expires_at"])

    transact(count)


def _revoke_replayed(code: AuthorizationCode) -> None:
    family = families.find_by_code(code.text)
    if family is not None:
        families.revoke(family.id, "code replayed")
    audit.record(audit.CODE_REPLAYED, client_id=code.authorization.client_id, family=family.id if family else None)


def _notice_repeated_challenge(authorization: Authorization) -> None:
    """A challenge that is always the same protects nothing (RFC 9700 §2.1.1), so the log names the client that sends one.

    Each process remembers its own: a client that always sends the same meets one of them twice soon enough.
    """
    if not authorization.code_challenge:
        return
    known: OrderedDict[tuple[str, str], float] = current_app.extensions.setdefault("challenges_seen", OrderedDict())
    key, at = (authorization.client_id, authorization.code_challenge), now()
    if known.get(key, -math.inf) > at - _CHALLENGE_REMEMBERED:
        audit.record(audit.CHALLENGE_REPEATED, client_id=authorization.client_id)
    known[key] = at
    if len(known) > _CHALLENGES_REMEMBERED:
        with suppress(KeyError):  # another thread took the last
            known.popitem(last=False)


def _write(code: AuthorizationCode) -> None:
    value = {
        "authorization": dict(vars(code.authorization)),
        "issued_at": code.issued_at,
        "expires_at": code.expires_at,
        "wrong_verifiers": code.wrong_verifiers,
    }
    current_server.storage.put(_KIND, code.text, value, code.expires_at)
