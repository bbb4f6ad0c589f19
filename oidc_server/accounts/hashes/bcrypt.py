"""bcrypt: `$2a$`, `$2b$` and `$2y$`, as they are or as Django writes them (`bcrypt$…`, `bcrypt_sha256$…`).

bcrypt reads 72 bytes and no more. A longer password is cut as the system that made the hash cut it; the next sign-in hashes it whole.
"""

from __future__ import annotations

import hashlib
import re

import bcrypt

from .foreign import ForeignHash, HashRefused

# 2^14 rounds are about a second.
MOST_COST = 14
_LEAST_COST = 4
_READ_BY_BCRYPT = 72

_FORM = re.compile(r"(?:bcrypt(_sha256)?\$)?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})", re.ASCII)


def read(text: str) -> ForeignHash | None:
    if not text.startswith(("$2", "bcrypt$", "bcrypt_sha256$")):
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise HashRefused("A bcrypt hash has 60 characters and begins with $2a$, $2b$ or $2y$.")
    hashed, cost = found[2].encode(), int(found[3])
    if not _LEAST_COST <= cost <= MOST_COST:
        raise HashRefused(
            f"bcrypt of cost {cost} is out of bounds: {_LEAST_COST} to {MOST_COST} is what a sign-in can wait for."
        )

    def matches(password: bytes) -> bool:
        given = hashlib.sha256(password).hexdigest().encode() if found[1] else password
        return bcrypt.checkpw(given[:_READ_BY_BCRYPT], hashed)

    return ForeignHash(text, f"bcrypt {cost}", matches)
