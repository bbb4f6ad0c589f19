"""How families are named: by the second they begin in, and by the code they are born of.

A code that comes again names the family that it gave, so no index of codes is kept. Names of one second lie together in the index of
families, and the next second's elsewhere: with random names each family among ten million would touch pages of the disk of its own, and
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
    return _encoded(_place(at) + secrets.token_bytes(_NAME_BYTES - _PLACE_BYTES))


def make_code(at: float) -> str:
    """A new authorization code: the place of its family and 256 random bits."""
    return _encoded(_place(at) + secrets.token_bytes(_SECRET_BYTES))


def of_code(code: str) -> str | None:
    """The name of the family that a code gives, or gave: its place and 112 bits of its SHA-256; None for what is no code of ours."""
    if not _CODE.fullmatch(code):
        return None
    place = urlsafe_b64decode(code[:4])[:_PLACE_BYTES]
    return _encoded(place + hashlib.sha256(code.encode()).digest()[: _NAME_BYTES - _PLACE_BYTES])


def _place(at: float) -> bytes:
    """16 bits that are the same for one second, and follow from it for nobody without our key."""
    key = current_server.settings.derive_key("family-names")
    return hmac.digest(key, int(at).to_bytes(8, "big"), "sha256")[:_PLACE_BYTES]


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
