"""Code verifiers with their challenges (RFC 7636 §4), made before the load starts."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """A code verifier and its S256 challenge."""

    verifier: str
    challenge: str

    @classmethod
    def make(cls) -> Pair:
        verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return cls(verifier, challenge)


def as_lua(pairs: list[Pair]) -> str:
    return "{" + ",".join(f'{{"{pair.verifier}","{pair.challenge}"}}' for pair in pairs) + "}"
