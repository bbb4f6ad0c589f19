"""The public keys of clients: which JWKs may be registered, and joserfc keys made of them. RFC 7517, RFC 7518 §6."""

from __future__ import annotations

from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from .. import inbound_jwt

MAX_KEYS = 10
_TYPES: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
#: What of a JWK is kept: never certificates or URLs, which nobody here reads (RFC 8725 §3.10).
_KEPT = ("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "key_ops")


class InvalidKeys(ValueError):
    """A key set must not be registered; the text is a plain sentence that says why."""


def require_public_keys(jwks: object) -> dict[str, Any]:
    """The JWK set reduced to what verifies signatures. Raises InvalidKeys."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_KEYS:
        raise InvalidKeys(f"jwks must be an object whose keys are a list of 1 to {MAX_KEYS} keys.")
    kept = [_require_public_key(jwk) for jwk in listed]
    kids = [jwk["kid"] for jwk in kept if "kid" in jwk]
    if len(set(kids)) != len(kids):
        raise InvalidKeys("Two keys in jwks must not have the same kid.")
    return {"keys": kept}


def imported(jwks: dict[str, Any] | None) -> list[Key]:
    """The registered keys, without a kid where the client gave none; one that no longer passes is left out."""
    keys: list[Key] = []
    for jwk in (jwks or {}).get("keys", ()):
        try:
            keys.append(_import(jwk))
        except InvalidKeys:
            continue
    return keys


def _require_public_key(jwk: object) -> dict[str, Any]:
    if not isinstance(jwk, dict) or str(jwk.get("kty")) not in _TYPES:
        raise InvalidKeys("Every key in jwks must be an object with kty RSA, EC or OKP.")
    if _PRIVATE & jwk.keys():
        raise InvalidKeys("jwks has a private key in it; register public keys only, and replace this one.")
    kept = {name: jwk[name] for name in _KEPT if name in jwk}
    if not all(_is_short_text(value) for name, value in kept.items() if name != "key_ops"):
        raise InvalidKeys("The members of a key in jwks must be short texts.")
    if kept["kty"] == "RSA" and len(kept.get("n", "")) < 342:  # 2048 bits in base64url
        raise InvalidKeys("An RSA key in jwks must have 2048 bits or more.")
    if "kid" in kept and not 0 < len(kept["kid"]) <= inbound_jwt.MAX_KID:
        raise InvalidKeys(f"The kid of a key in jwks must have 1 to {inbound_jwt.MAX_KID} characters.")
    _import(kept)
    return kept


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 1400 and value.isprintable()


def _import(jwk: dict[str, Any]) -> Key:
    try:
        key: Key = _TYPES[jwk["kty"]].import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise InvalidKeys("A key in jwks is malformed.") from error
    if not inbound_jwt.is_strong(key):
        raise InvalidKeys("A key in jwks is too weak or of an unknown curve: use RSA of 2048 bits, P-256 or Ed25519.")
    return key


def suits(jwks: dict[str, Any] | None, algorithm: str) -> bool:
    """Whether a key of the set can verify the algorithm."""
    return any(inbound_jwt.suits(key, algorithm) for key in imported(jwks))
