"""Passkeys: what a person keeps, so that their device can sign in with it, alone or after the password. WebAuthn Level 3.

Knows nothing of pages and sessions: it makes options for the browser and judges what its authenticator signed.
Endpoints: none; /login/passkey and /account/passkeys use it.
"""

from __future__ import annotations

from ..factor import Factor
from . import store
from .authentication import Authenticated, authenticate, request_options
from .models import Passkey
from .registration import accept, creation_options
from .relying_party import is_possible, rp_id
from .response import Refused, UnknownCredential, to_base64url
from .store import AlreadyRegistered, NameRefused, TooMany

__all__ = [
    "KIND",
    "OWNER",
    "AlreadyRegistered",
    "Authenticated",
    "NameRefused",
    "Passkey",
    "Refused",
    "TooMany",
    "UnknownCredential",
    "accept",
    "authenticate",
    "creation_options",
    "is_possible",
    "list_of",
    "remove",
    "request_options",
    "rp_id",
    "store",
    "to_base64url",
]

KIND = "passkey"
OWNER = Passkey.account_id


def list_of(account_id: str) -> list[Factor]:
    """The passkeys of an account as second factors, the oldest first."""
    return [
        Factor(KIND, found.id, found.name, found.created_at, found.last_used_at) for found in store.list_of(account_id)
    ]


def remove(account_id: str, factor_id: str) -> bool:
    """Delete one; False when the account has no such passkey. Call inside database.transact()."""
    return store.remove(account_id, factor_id) is not None
