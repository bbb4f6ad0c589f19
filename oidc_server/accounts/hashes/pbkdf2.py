"""PBKDF2 with SHA-1, SHA-256 or SHA-512. RFC 8018 §5.2.

Django writes `pbkdf2_sha256$n$salt$hash`, Werkzeug `pbkdf2:sha256:n$salt$hash`, passlib `$pbkdf2-sha256$n$salt$hash`; Keycloak's
(keycloak.py) are kept in passlib's form.
"""

from __future__ import annotations

import hashlib
import re

from .foreign import ForeignHash, HashRefused, base64_of, derived, digest_of, salt_of, unpadded

#: Iterations of SHA-256 that are about a second's worth; those of SHA-512 count as four.
MOST_WORK = 2_000_000
_WEIGHTS = {"sha1": 1, "sha256": 1, "sha512": 4}

_DJANGO = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)", re.ASCII)
_WERKZEUG = re.compile(r"pbkdf2:(sha1|sha256|sha512):(\d{1,9})\$([^$]+)\$((?:[0-9a-f]{2})+)", re.ASCII)
_PASSLIB = re.compile(
    r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)", re.ASCII
)


def read(text: str) -> ForeignHash | None:
    if not text.startswith(("pbkdf2_", "pbkdf2:", "$pbkdf2")):
        return None
    if found := _DJANGO.fullmatch(text):
        return _made(text, found[1], int(found[2]), found[3].encode(), base64_of(found[4]))
    if found := _WERKZEUG.fullmatch(text):
        return _made(text, found[1], int(found[2]), found[3].encode(), bytes.fromhex(found[4]))
    if found := _PASSLIB.fullmatch(text):
        return _made(text, found[1] or "sha1", int(found[2]), base64_of(found[3]), base64_of(found[4]))
    raise HashRefused(
        "A PBKDF2 hash says sha1, sha256 or sha512, the number of iterations, the salt and the hash, "
        "as pbkdf2_sha256$600000$salt$hash does."
    )


def written(algorithm: str, iterations: int, salt: bytes, digest: bytes) -> str:
    """A hash in passlib's form."""
    return f"$pbkdf2-{algorithm}${iterations}${unpadded(salt)}${unpadded(digest)}"


def _made(text: str, algorithm: str, iterations: int, salt: bytes, digest: bytes) -> ForeignHash:
    digest_of(digest)
    salt_of(salt)
    # A digest longer than the hash function's is computed block after block, each as long as the first.
    blocks = -(-len(digest) // hashlib.new(algorithm).digest_size)
    if not 1 <= iterations * blocks * _WEIGHTS[algorithm] <= MOST_WORK:
        raise HashRefused(
            f"PBKDF2 with {iterations} iterations of {algorithm} for {len(digest)} bytes takes too long for a sign-in."
            if iterations
            else "PBKDF2 has at least one iteration."
        )

    def derive(password: bytes) -> bytes:
        return hashlib.pbkdf2_hmac(algorithm, password, salt, iterations, len(digest))

    return ForeignHash(text, f"pbkdf2-{algorithm} {iterations * blocks}", derived(digest, derive))
