"""argon2id and argon2i: `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, with Django's `argon2` before it or not. RFC 9106."""

from __future__ import annotations

import re

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from .foreign import ForeignHash, HashRefused, base64_of, derived, digest_of, salt_of

#: KiB of memory; and KiB times passes, about a second's worth.
MOST_MEMORY = 256 * 1024
MOST_WORK = 512 * 1024
MOST_LANES = 16
_SHORTEST_SALT = 8

_FORM = re.compile(
    r"(?:argon2)?\$argon2(id|i)\$(?:v=(16|19)\$)?m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([^$]+)\$([^$]+)", re.ASCII
)
_TYPES = {"id": Type.ID, "i": Type.I}
# The first version wrote no number.
_FIRST_VERSION = "16"


def read(text: str) -> ForeignHash | None:
    if not text.startswith(("$argon2", "argon2$")):
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise HashRefused(
            "An argon2 hash is written $argon2id$v=19$m=65536,t=3,p=4$salt$hash; argon2i can be read too."
        )
    kind, version = _TYPES[found[1]], int(found[2] or _FIRST_VERSION)
    memory, passes, lanes = (int(number) for number in found.group(3, 4, 5))
    if not (1 <= lanes <= MOST_LANES and passes >= 1 and memory >= 8 * lanes):
        raise HashRefused(f"argon2 needs t of at least 1, p of 1 to {MOST_LANES}, and m of at least 8 times p.")
    if memory > MOST_MEMORY or memory * passes > MOST_WORK:
        raise HashRefused(
            f"argon2 of m={memory}, t={passes} takes too long for a sign-in: "
            f"m may be {MOST_MEMORY} (KiB), and m times t {MOST_WORK}."
        )
    salt, digest = salt_of(base64_of(found[6])), digest_of(base64_of(found[7]))
    if len(salt) < _SHORTEST_SALT:
        raise HashRefused(f"The salt of an argon2 hash has at least {_SHORTEST_SALT} bytes.")

    def derive(password: bytes) -> bytes:
        try:
            return hash_secret_raw(password, salt, passes, memory, lanes, len(digest), kind, version)
        except HashingError as error:
            raise HashRefused("argon2 could not be computed.") from error

    return ForeignHash(text, f"argon2{found[1]} m={memory} t={passes} p={lanes}", derived(digest, derive))
