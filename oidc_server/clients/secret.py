"""The secrets of clients: 256 random bits, shown once, kept as a hash.

RFC 6749 §10.1. A fast hash is right for such a secret: there is nothing to guess. client_secret_jwt needs the secret
itself (RFC 7518 §3.2 keys an HMAC with it), so for such a client it is sealed with AES-GCM under a key of the server.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..settings import Settings

SEALING_PURPOSE = "client-secret-jwt"
_NONCE_BYTES = 12
#: Stands in for the secrets of a client that is not there, so that its refusal costs the same comparison.
NOBODYS_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def make() -> str:
    """A new client secret: 256 bits in 43 URL-safe characters, which need no encoding in any header or form."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matching(presented: str, hashes: Iterable[str]) -> int | None:
    """The index of the hash that a presented secret has, in a time that does not depend on which or whether."""
    found = None
    digest = hash_of(presented)
    for index, held in enumerate([*hashes, NOBODYS_HASH]):
        if hmac.compare_digest(digest, held):
            found = index
    return found


def seal(secret: str, client_id: str, settings: Settings) -> bytes:
    """The secret encrypted, bound to its client."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(settings.derive_key(SEALING_PURPOSE)).encrypt(nonce, secret.encode(), client_id.encode())


def unseal(sealed: bytes, client_id: str, settings: Settings) -> str | None:
    """The secret that seal() encrypted; None when no secret key of the server, present or earlier, opens it."""
    for key in settings.derive_keys(SEALING_PURPOSE):
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], client_id.encode()).decode()
        except InvalidTag:
            continue
    return None
