"""The shape of a refresh token: its family, its generation, a secret, and a proof that it was ours.

`rt1.` and base64url of 16 bytes family id, 4 bytes generation, 32 random bytes, 16 bytes HMAC. The family id leads to the one row that
decides; the HMAC tells a token that we issued once (reuse: RFC 9700 §4.14.2) from one that somebody made up to have a family revoked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..server import current_server
from .names import encoded

_PREFIX = "rt1."
_LENGTH = 16 + 4 + 32 + 16


@dataclass(frozen=True)
class RefreshToken:
    """A presented refresh token, taken apart; nothing of it is proven but, with `is_ours`, that we issued it once."""

    family_id: str
    generation: int
    is_ours: bool


def make(family_id: str, generation: int) -> str:
    """A new refresh token with 256 random bits."""
    body = base64.urlsafe_b64decode(family_id + "==") + generation.to_bytes(4, "big") + secrets.token_bytes(32)
    return _PREFIX + encoded(body + _tag(body, current_server.settings.derive_key("refresh-token")))


def parse(text: str) -> RefreshToken | None:
    """Take a refresh token apart; None for anything that has not exactly its shape."""
    if not text.startswith(_PREFIX):
        return None
    try:
        raw = base64.b64decode(
            text.removeprefix(_PREFIX) + "=" * (-(len(text) - len(_PREFIX)) % 4), b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LENGTH or _PREFIX + encoded(raw) != text:
        return None
    body, tag = raw[:-16], raw[-16:]
    keys = current_server.settings.derive_keys("refresh-token")
    is_ours = any(hmac.compare_digest(tag, _tag(body, key)) for key in keys)
    return RefreshToken(encoded(body[:16]), int.from_bytes(body[16:20], "big"), is_ours)


def hash_of(text: str) -> str:
    """SHA-256 in hex: enough for a value with 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def seal(refresh_token: str, plain: bytes) -> bytes:
    """Encrypt under a key that only this refresh token yields, so that a copy of the database reveals nothing."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_seal_key(refresh_token)).encrypt(nonce, plain, None)


def unseal(refresh_token: str, sealed: bytes) -> bytes | None:
    """Decrypt what seal() made with the same refresh token; None for any other."""
    try:
        return AESGCM(_seal_key(refresh_token)).decrypt(sealed[:12], sealed[12:], None)
    except InvalidTag:
        return None


def _seal_key(refresh_token: str) -> bytes:
    return hmac.digest(b"oidc_server sealed successor", refresh_token.encode(), "sha256")


def _tag(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:16]
