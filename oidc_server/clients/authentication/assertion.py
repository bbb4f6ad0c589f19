"""A signed JWT as the credential: what private_key_jwt and client_secret_jwt have in common.

RFC 7521 §4.2, RFC 7523 §3, OpenID Connect Core §9. The audience is the issuer as one string, because an assertion made
out to a URL can be collected by another server that the client trusts and used here (RFC 7523bis).
"""

from __future__ import annotations

from collections.abc import Callable

from joserfc.jwk import Key

from ... import audit, inbound_jwt
from ...database import now, transact
from ...server import current_server
from ..models import Client
from .method import Failed, Method, Presented

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPES = (None, "JWT", "client-authentication+jwt")
JTI_KIND = "client_assertion_jti"
MAX_JTI = 255


def assertion_method(
    name: str, algorithms: tuple[str, ...], keys_of: Callable[[Client], list[Key]], *, has_secret: bool
) -> Method:
    """The method of this name, whose assertions are verified with the keys that keys_of() finds for a client."""

    def prove(client: Client | None, presented: Presented) -> None:
        registered = client.token_endpoint_auth_signing_alg if client is not None else None
        allowed = (registered,) if registered else algorithms
        _verify(client, presented.form["client_assertion"], keys_of(client) if client is not None else [], allowed)

    return Method(
        name=name,
        credential="assertion",
        is_presented=lambda presented: presented.has_assertion,
        claimed_id=_claimed_id,
        prove=prove,
        has_secret=has_secret,
        signing_algorithms=algorithms,
    )


def _claimed_id(presented: Presented) -> str:
    if presented.form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in presented.form:
        raise Failed("client_assertion or its type is missing")
    try:
        subject = inbound_jwt.peek_claims(presented.form["client_assertion"]).get("sub")
    except inbound_jwt.Refused as refused:
        raise Failed(f"client assertion: {refused.reason}") from refused
    if not isinstance(subject, str):
        raise Failed("client assertion: sub is missing")
    return subject


def _verify(client: Client | None, token: str, keys: list[Key], algorithms: tuple[str, ...]) -> None:
    settings = current_server.settings
    audiences = [settings.issuer]
    if settings.client_assertion_audience == "issuer or token endpoint":
        audiences.append(settings.url("/token"))
    try:
        claims = inbound_jwt.decode(
            token,
            purpose="client assertion",
            keys=keys,
            algorithms=algorithms,
            issuer=client.client_id if client is not None else None,
            audience=audiences,
            audience_exact=True,
            typ=TYPES,
            leeway=settings.clock_skew,
            now=now(),
            max_lifetime=settings.client_assertion_max_lifetime,
            require=("iss", "sub", "aud", "exp", "jti"),
        ).claims
    except inbound_jwt.Refused as refused:
        raise Failed(refused.reason) from refused
    if client is None or claims["sub"] != client.client_id:
        raise Failed("client assertion: wrong sub")
    if len(claims["jti"]) > MAX_JTI:
        raise Failed("client assertion: jti is too long")
    # After the signature, so that nobody but the client can use up its identifiers.
    if not transact(lambda: _spend(client.client_id, claims["jti"], claims["exp"] + settings.clock_skew)):
        raise Failed("client assertion: replayed", audit.CLIENT_ASSERTION_REPLAYED)


def _spend(client_id: str, jti: str, expires_at: float) -> bool:
    spent: bool = current_server.storage.put_once(JTI_KIND, f"{client_id} {jti}", {}, expires_at)
    return spent
