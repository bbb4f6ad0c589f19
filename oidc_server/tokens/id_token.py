"""ID tokens: OIDC Core §2 and §3.1.3.6. They carry who signed in, when and how, and what was asked for by name, nothing more."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .. import inbound_jwt
from ..accounts.claims import claims_for
from ..database import now
from ..server import current_server
from .families import Authorization

TYP = "JWT"


def make(client: Any, account: Any, authorization: Authorization, access_token: str, sid: str) -> str:
    """Sign an ID token for this client. On a refresh `auth_time` stays that of the sign-in (OIDC Core §12.2)."""
    algorithm = algorithm_for(client)
    at = int(now())
    settings = current_server.settings
    asked = authorization.claims.get("id_token") or {}
    shared = {"roles", "groups"}.intersection(authorization.scope)
    claims: dict[str, Any] = {}
    if shared or asked:
        claims |= claims_for(account, shared, asked, client_id=client.client_id)
    # Written last: nothing that a person or a request chose can take the place of these.
    claims |= {
        "iss": settings.issuer,
        "sub": account.id,
        "aud": client.client_id,
        "exp": at + settings.id_token_lifetime,
        "iat": at,
        "auth_time": authorization.auth_time,
        "acr": authorization.acr,
        "amr": authorization.amr,
        "at_hash": half_hash(access_token, algorithm),
    }
    if sid:
        claims["sid"] = sid
    if authorization.nonce:
        claims["nonce"] = authorization.nonce
    return str(current_server.keyring.sign(claims, typ=TYP, algorithm=algorithm))


def algorithm_for(client: Any) -> str:
    """The algorithm the client registered, or the server's default when keys of it are no longer kept."""
    available: tuple[str, ...] = current_server.keyring.algorithms
    wanted = client.id_token_signed_response_alg
    return wanted if wanted in available else available[0]


def half_hash(value: str, algorithm: str) -> str:
    """at_hash: base64url of the left half of the hash that belongs to the signing algorithm (OIDC Core §3.1.3.6)."""
    digest = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(value.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def read_hint(text: str) -> dict[str, Any] | None:
    """The claims of an `id_token_hint` that we issued, expired or not (RP-Initiated Logout §2); None for anything else."""
    keyring = current_server.keyring
    try:
        decoded = inbound_jwt.decode(
            text,
            purpose="id_token_hint",
            keys=keyring.verification_keys(),
            algorithms=keyring.verification_algorithms,
            issuer=current_server.settings.issuer,
            audience=None,
            typ=(TYP,),
            leeway=current_server.settings.clock_skew,
            now=now(),
            require=("sub", "aud", "exp", "iat", "at_hash"),
            ignore_expiry=True,
        )
    except inbound_jwt.Refused:
        return None
    return dict(decoded.claims)
