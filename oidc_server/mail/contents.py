"""What a mail says; sealed while it waits, since the links and codes in it would open accounts to whoever reads a copy of the database."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..settings import Settings

_PURPOSE = "outbox"
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Contents:
    """The subject, and the same message as plain text and as HTML."""

    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return "<Contents>"


def seal(contents: Contents, mail_id: str, settings: Settings) -> bytes:
    """The contents encrypted, bound to their mail."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(settings.derive_key(_PURPOSE)).encrypt(
        nonce, orjson.dumps(asdict(contents)), mail_id.encode()
    )


def unseal(sealed: bytes | None, mail_id: str, settings: Settings) -> Contents | None:
    """The contents; None when they were wiped, or no secret key of the server, present or earlier, opens them."""
    if sealed is None:
        return None
    for key in settings.derive_keys(_PURPOSE):
        try:
            plain = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], mail_id.encode())
            return Contents(**orjson.loads(plain))
        except InvalidTag:
            continue
    return None
