"""How families are named: by the code they are born of, and by the second in which it was made.

A code that comes again names the family that it gave, so no index of codes is kept. Names of one second lie together in the index of
families, and those of the next elsewhere: with random names each family among ten million would touch pages of the disk of its own, and
with the time itself anybody could read it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from ..server import current_server

_PLACE_BYTES, _NAME_BYTES, _SECRET_BYTES = 2, 16, 32
_CODE = re.compile(r"[A-Za-z0-9_-]{46}")  # 34 bytes


def make(at: float) -> str:
    """A name for a family that no code gives: its place in the index and 112 random bits."""
    return encoded(_place(at) + secrets.token_bytes(_NAME_BYTES - _PLACE_BYTES))


def make_code(at: float) -> str:
    """A new authorization code: the place of its family and 256 random bits."""
    return encoded(_place(at) + secrets.token_bytes(_SECRET_BYTES))


def of_code(code: str) -> str:
    """The name of the family that a code gives, or gave: its place, if it is one of ours, and 112 bits of its SHA-256."""
    digest = hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
    place = urlsafe_b64decode(code[:4])[:_PLACE_BYTES] if _CODE.fullmatch(code) else digest[-_PLACE_BYTES:]
    return encoded(place + digest[: _NAME_BYTES - _PLACE_BYTES])


def _place(at: float) -> bytes:
    """16 bits that are the same for one second; without our key nobody computes them, though who was there saw them."""
    key = current_server.settings.derive_key("family-names")
    return hmac.digest(key, int(at).to_bytes(8, "big"), "sha256")[:_PLACE_BYTES]


def encoded(raw: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
