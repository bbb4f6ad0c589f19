"""Challenges: random, ours, of this browser, for one purpose and person, for ten minutes, once. WebAuthn §13.4.3.

A challenge carries its time and an HMAC and is written down only when it is spent, so that asking for one costs no row
and a page that shows the sign-in form changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct

from ... import csrf
from ...database import now, transact
from ...server import current_server
from .response import Refused

LIFETIME = 600
_KIND = "passkey_challenge"
_NONCE = 16
_TIME = struct.Struct(">Q")
_MAC = 32


def make(purpose: str, subject: str) -> bytes:
    """A challenge of 56 bytes, 128 random bits among them; `subject` is whom or what it is for beside the purpose."""
    head = secrets.token_bytes(_NONCE) + _TIME.pack(int(now()))
    return head + _mac(current_server.settings.derive_key("passkey challenge"), head, purpose, subject)


def spend(challenge: bytes, purpose: str, subject: str) -> None:
    """Use a challenge up: of simultaneous uses one succeeds. Raises Refused."""
    head, mac = challenge[:-_MAC], challenge[-_MAC:]
    keys = current_server.settings.derive_keys("passkey challenge")
    fits = [hmac.compare_digest(mac, _mac(key, head, purpose, subject)) for key in keys]
    if len(head) != _NONCE + _TIME.size or not any(fits):
        raise Refused("the challenge is not ours, or of another browser, purpose or person")
    expires_at = float(_TIME.unpack(head[_NONCE:])[0] + LIFETIME)
    if now() >= expires_at:
        raise Refused("the challenge has expired")
    key = hashlib.sha256(challenge).hexdigest()
    # Kept a little longer than it lives, as the clocks of two nodes differ.
    if not transact(lambda: current_server.storage.put_once(_KIND, key, {}, expires_at + 60)):
        raise Refused("the challenge was used before")


def _mac(key: bytes, head: bytes, purpose: str, subject: str) -> bytes:
    said = b"\0".join((head, csrf.browser_id().encode(), purpose.encode(), subject.encode()))
    return hmac.digest(key, said, hashlib.sha256)
