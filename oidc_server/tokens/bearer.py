"""Our own access tokens coming back: at the UserInfo endpoint, for introspection and for revocation. RFC 9068 §4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import inbound_jwt
from ..clients import store as clients
from ..database import now
from ..server import current_server
from . import access_token, families, standing
from .families import Family
from .standing import Standing

#: The Authorization header: one space, any case of the scheme, the characters of RFC 6750 §2.1.
BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9\-._~+/]+=*)")
#: Access tokens that no family holds (client credentials) and that were revoked, by jti.
REVOKED_KIND = "revoked_access_token"


class InvalidToken(ValueError):
    """The access token is not ours, has ended, or was revoked; the message is for the log."""


@dataclass(frozen=True)
class AccessToken:
    """A verified access token; `standing` and `family` are None for one that a client got for itself."""

    claims: dict[str, Any]
    standing: Standing | None

    @cached_property
    def family(self) -> Family | None:
        """The family with its account, for those who need more than its standing: one more query."""
        return families.find(self.standing.family_id) if self.standing is not None else None

    @property
    def scope(self) -> list[str]:
        return str(self.claims.get("scope", "")).split()


def verify(text: str, *, audience: str | None = None) -> AccessToken:
    """Check signature, type, times, audience (if given) and whether the grant behind it still lives.

    Raises InvalidToken. One signature check, one read of the family and one of the client.
    """
    settings = current_server.settings
    try:
        decoded = inbound_jwt.decode(
            text,
            purpose="access token",
            keys=current_server.keyring.verification_keys(),
            algorithms=current_server.keyring.verification_algorithms,
            issuer=settings.issuer,
            audience=audience,
            typ=(access_token.TYP,),
            leeway=0,
            now=now(),
            require=("exp", "iat", "sub", "aud", "client_id", "jti"),
        )
    except inbound_jwt.Refused as refused:
        raise InvalidToken(str(refused)) from refused
    claims = dict(decoded.claims)
    family_id = access_token.family_of(claims["jti"])
    found = standing.find(family_id) if family_id else None
    if family_id and (found is None or not found.counts(claims["client_id"], claims["iat"])):
        raise InvalidToken("the grant has ended")
    if not family_id and current_server.storage.read(REVOKED_KIND, claims["jti"]) is not None:
        raise InvalidToken("revoked")
    if clients.find_active(claims["client_id"]) is None:
        raise InvalidToken("the client is gone")
    return AccessToken(claims, found)
