"""Password hashes that other systems made: bcrypt, argon2, scrypt, PBKDF2. RFC 9106, RFC 7914, RFC 8018 §5.2.

People come along with the hash they have; it is verified as the system that made it did, and made anew by our own scheme at the
next sign-in. A hash that would take seconds or gigabytes is refused when it is imported, and again whenever it is read.
Endpoints: none.
"""

from __future__ import annotations

from collections.abc import Callable

from . import argon2, bcrypt, keycloak, pbkdf2, scrypt
from .foreign import ForeignHash, HashRefused

__all__ = ["LONGEST", "SCHEMES", "ForeignHash", "HashRefused", "read", "verify"]

#: Characters that the column of hashes holds.
LONGEST = 255
# Keycloak writes a hash as JSON, which is taken apart before it is kept.
_LONGEST_GIVEN = 4096

#: Each reads its own kind: None for a text that is another's, HashRefused for one that it should have understood.
SCHEMES: tuple[Callable[[str], ForeignHash | None], ...] = (
    bcrypt.read,
    argon2.read,
    scrypt.read,
    pbkdf2.read,
    keycloak.read,
)


def read(text: str) -> ForeignHash:
    """The hash that a text holds. Nothing is computed. Raises HashRefused, whose message never repeats the text."""
    if len(text) <= _LONGEST_GIVEN and text.isascii():
        for scheme in SCHEMES:
            found = scheme(text)
            if found is not None:
                if len(found.stored) > LONGEST:
                    raise HashRefused(f"The hash is longer than {LONGEST} characters.")
                return found
    raise HashRefused("The hash is of no known kind; docs/people.md lists those that can be brought along.")


def verify(stored: str, password: str) -> bool:
    """Whether a password is the one behind a foreign hash. Raises HashRefused."""
    return read(stored).verify(password)
