"""The one doorway for every JWT that comes in: purpose, algorithms, keys, issuer, audience, type, size, age.

RFC 7515, RFC 7519, RFC 8725. Whoever needs a client assertion, a hint or one of our own access tokens read asks here; a
lint keeps decoders of JWTs out of every other file. Of joserfc only the signature primitives are used.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from . import strict_json

MAX_BYTES = 16 * 1024
MAX_KID = 255
MAX_AUDIENCES = 20
MAX_CANDIDATES = 10
#: A NumericDate past the year 3000 is a mistake or an attack, never a time.
LATEST = 32_503_680_000

#: algorithm -> kind of key; an algorithm that is not here is refused whatever the caller allows.
KEY_TYPES: dict[str, type[Key]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey, "HS256": OctKey}
KEY_TYPES |= {"Ed25519": OKPKey, "EdDSA": OKPKey}
#: Two names of one algorithm (RFC 9864 §2.2): whoever allows one, or has it in a key, allows the other.
_OTHER_NAME = {"Ed25519": "EdDSA", "EdDSA": "Ed25519"}

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TEXT_CLAIMS = ("iss", "sub", "jti", "client_id", "azp", "nonce", "sid", "scope")
_TIME_CLAIMS = ("exp", "nbf", "iat", "auth_time")


class Refused(Exception):
    """The token is not what it must be; `reason` is a constant for the log and never leaves the server."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Decoded:
    """A token whose signature and claims were verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def decode(
    token: str,
    *,
    purpose: str,
    keys: Iterable[Key],
    algorithms: Collection[str],
    issuer: str | None,
    audience: str | Collection[str] | None,
    typ: Collection[str | None] | None,
    leeway: float,
    now: float,
    max_lifetime: float | None = None,
    require: Collection[str] = ("exp",),
    ignore_expiry: bool = False,
    audience_exact: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Decoded:
    """Verify a compact JWS and its claims (RFC 7519 §7.2). Raises Refused, whose reason starts with `purpose`.

    `audience` is one or several identifiers of ours: the aud claim must name one of them, and with `audience_exact` be
    that one string (RFC 7523bis). `typ` lists the accepted header values, None among them for an absent one; None as a
    whole checks nothing. `leeway`, `now` and `max_lifetime` (how far ahead exp may lie) are seconds.
    """
    try:
        header, payload, signed, signature = _split(token, max_bytes)
        _check_header(header, algorithms, typ)
        _check_signature(header, signed, signature, keys)
        claims = _read_object(payload, "payload")
        _check_types(claims, require)
        _check_times(claims, leeway, now, max_lifetime, ignore_expiry)
        if issuer is not None and claims.get("iss") != issuer:
            raise Refused("wrong iss")
        if audience is not None:
            ours = {audience} if isinstance(audience, str) else set(audience)
            _check_audience(claims.get("aud"), ours, audience_exact)
    except Refused as refused:
        raise Refused(f"{purpose}: {refused.reason}") from None
    return Decoded(header, claims)


def peek_claims(token: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The claims before anything is verified, by the same parser, only to find whose keys apply. Raises Refused."""
    _header, payload, _signed, _signature = _split(token, max_bytes)
    claims = _read_object(payload, "payload")
    _check_types(claims, ())
    return claims


def suits(key: Key, algorithm: str) -> bool:
    """Whether a key may verify an algorithm: kind, curve, strength (RFC 7518 §3, FIPS 186-5), its own use and alg."""
    if not isinstance(key, KEY_TYPES.get(algorithm, ())):
        return False
    name = key.alg if key.alg and key.alg == _OTHER_NAME.get(algorithm) else algorithm
    try:
        key.check_use("sig")
        key.check_key_op("verify")
        JWSRegistry.algorithms[name].check_key(key)
        if key.alg not in (None, name):
            return False
    except (JoseError, TypeError, ValueError):
        return False
    return is_strong(key)


def is_strong(key: Key) -> bool:
    """Whether a key is neither too weak nor so large that verifying with it would be an attack."""
    if isinstance(key, RSAKey):
        numbers = key.public_key.public_numbers()
        return 2048 <= numbers.n.bit_length() <= 8192 and 2**16 < numbers.e < 2**32 and numbers.e % 2 == 1
    if isinstance(key, OctKey):
        return len(key.raw_value) >= 32  # RFC 7518 §3.2: at least as long as the hash
    if isinstance(key, ECKey):
        return key.curve_name == "P-256"
    return key.curve_name == "Ed25519"


def _split(token: str, max_bytes: int) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    if not isinstance(token, str) or len(token) > max_bytes:
        raise Refused("too long")
    if token.count(".") != 2:
        raise Refused("not a compact JWS")
    segments = token.split(".")
    header, payload, signature = (_base64url(segment) for segment in segments)
    return _read_object(header, "header"), payload, ".".join(segments[:2]).encode("ascii"), signature


def _base64url(segment: str) -> bytes:
    # RFC 7515 §2: no padding, no whitespace; and one byte string has one spelling, so stray trailing bits are refused.
    if not _BASE64URL.fullmatch(segment) or len(segment) % 4 == 1:
        raise Refused("not base64url")
    decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode("ascii"):
        raise Refused("not base64url")
    return decoded


def _read_object(raw: bytes, part: str) -> dict[str, Any]:
    try:
        return strict_json.read_object(raw)
    except ValueError as error:
        raise Refused(f"{part} is {error}") from None


def _check_header(header: Mapping[str, Any], algorithms: Collection[str], typ: Collection[str | None] | None) -> None:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise Refused("alg not allowed")
    if not {algorithm, _OTHER_NAME.get(algorithm)}.intersection(algorithms):
        raise Refused("alg not allowed")
    if "crit" in header or "b64" in header:
        raise Refused("crit and b64 are not supported")  # RFC 7515 §4.1.11: what is not understood must be refused
    kid = header.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= MAX_KID):
        raise Refused("kid is not a short string")
    found = header.get("typ")
    if found is not None and not isinstance(found, str):
        raise Refused("typ is not a string")
    if typ is not None and _media_type(found) not in {_media_type(accepted) for accepted in typ}:
        raise Refused("wrong typ")


def _media_type(typ: str | None) -> str | None:
    # RFC 7515 §4.1.9: a media type, compared without case, "application/" may be left out.
    return None if typ is None else typ.lower().removeprefix("application/")


def _check_signature(header: Mapping[str, Any], signed: bytes, signature: bytes, keys: Iterable[Key]) -> None:
    # jwk, jku, x5u and x5c in the header never choose a key (RFC 8725 §3.10): the caller knows whose keys these are.
    algorithm, kid = header["alg"], header.get("kid")
    held = list(keys)
    if kid is not None:
        # Keys published without a kid can only be tried.
        held = [key for key in held if key.kid == kid] or [key for key in held if key.kid is None]
    candidates = [key for key in held if suits(key, algorithm)][:MAX_CANDIDATES]
    if not candidates:
        raise Refused("no key for this token")
    model = JWSRegistry.algorithms[algorithm]
    for key in candidates:
        try:
            if model.verify(signed, signature, key):
                return
        except (JoseError, TypeError, ValueError):
            continue
    raise Refused("bad signature")


def _check_types(claims: Mapping[str, Any], require: Collection[str]) -> None:
    for name in require:
        if claims.get(name) in (None, "", []):
            raise Refused(f"{name} is missing")
    for name in _TEXT_CLAIMS:
        if name in claims and not isinstance(claims[name], str):
            raise Refused(f"{name} is not a string")
    for name in _TIME_CLAIMS:
        if name in claims and not _is_time(claims[name]):
            raise Refused(f"{name} is not a time")
    if not _is_audience(claims.get("aud", "")):
        raise Refused("aud is neither a string nor a list of strings")


def _is_time(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < LATEST and value == int(value)


def _is_audience(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_AUDIENCES and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _check_times(
    claims: Mapping[str, Any], leeway: float, now: float, max_lifetime: float | None, ignore_expiry: bool
) -> None:
    expires_at = claims.get("exp")
    if expires_at is not None and not ignore_expiry and expires_at + leeway <= now:
        raise Refused("expired")
    if expires_at is not None and max_lifetime is not None and expires_at > now + max_lifetime + leeway:
        raise Refused("exp lies too far ahead")
    if claims.get("nbf", 0) > now + leeway:
        raise Refused("not valid yet")
    if claims.get("iat", 0) > now + leeway:
        raise Refused("issued in the future")


def _check_audience(found: Any, expected: set[str], exact: bool) -> None:
    if isinstance(found, str):
        if found in expected:
            return
    elif isinstance(found, list) and not exact and expected.intersection(found):
        return
    raise Refused("wrong aud")
