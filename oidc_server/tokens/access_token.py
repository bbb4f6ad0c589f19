"""Access tokens: JWTs of RFC 9068, signed and not stored. Their `jti` leads to the family they belong to."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from ..accounts.claims import claims_for
from ..database import now
from ..resources import ProtectedResource
from ..server import current_server
from .families import Authorization

TYP = "at+jwt"


def lifetime_of(resource: ProtectedResource) -> int:
    """Seconds an access token for this resource lives."""
    return resource.access_token_lifetime or current_server.settings.access_token_lifetime


def make(
    client_id: str,
    resource: ProtectedResource,
    scope: Sequence[str],
    *,
    family_id: str | None = None,
    authorization: Authorization | None = None,
    account: Any = None,
) -> str:
    """Sign an access token (RFC 9068 §2.2); without an account the client itself is the subject."""
    at = int(now())
    settings = current_server.settings
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "sub": account.id if account is not None else client_id,
        "aud": resource.identifier,
        "client_id": client_id,
        "iat": at,
        "exp": at + lifetime_of(resource),
        "jti": make_jti(family_id),
        "scope": " ".join(scope),
    }
    if authorization is not None:
        claims |= {"auth_time": authorization.auth_time, "acr": authorization.acr, "amr": authorization.amr}
    if account is not None and (shared := {"roles", "groups"}.intersection(scope)):
        claims |= claims_for(account, shared, None, client_id=client_id)
    return str(current_server.keyring.sign(claims, typ=TYP))


def make_jti(family_id: str | None) -> str:
    """A unique identifier that starts with the family, if there is one; 96 random bits."""
    own = secrets.token_urlsafe(12)
    return f"{family_id}.{own}" if family_id else own


def family_of(jti: str) -> str | None:
    """The family a `jti` leads to; None for a token that a client got for itself."""
    family_id, dot, _ = jti.partition(".")
    return family_id if dot else None
