"""What every scheme reads its hashes into, and the small grammar they share: numbers and base64 in three dialects."""

from __future__ import annotations

import base64
import binascii
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_SHORTEST_DIGEST, _LONGEST_DIGEST = 16, 128
_LONGEST_SALT = 64
# `.` instead of `+` is passlib's, `-` and `_` are of URLs.
_DIALECTS = str.maketrans(".-_", "++/")


class HashRefused(ValueError):
    """A password hash cannot be taken over; the message says why, in words for the operator, and repeats nothing of it."""


@dataclass(frozen=True)
class ForeignHash:
    """A hash that was understood: how it is kept, what one try costs (scheme and parameters), and what matches it."""

    stored: str
    cost: str
    matches: Callable[[bytes], bool]

    def verify(self, password: str) -> bool:
        """Whether this is the password, as it was typed or in its composed form (NFC), which is what keyboards send."""
        return any(self.matches(one.encode("utf-8", "surrogatepass")) for one in spellings(password))


def spellings(password: str) -> tuple[str, ...]:
    """What is tried of a password: one text, or two when it was typed in decomposed characters."""
    composed = unicodedata.normalize("NFC", password)
    return (password,) if composed == password else (password, composed)


def derived(digest: bytes, derive: Callable[[bytes], bytes]) -> Callable[[bytes], bool]:
    """What matches a digest that `derive` makes of the password."""
    return lambda password: hmac.compare_digest(derive(password), digest)


def base64_of(text: str) -> bytes:
    """Base64 of any dialect, padded or not. Raises HashRefused."""
    plain = text.rstrip("=").translate(_DIALECTS)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HashRefused("The hash holds something that is not base64.") from error


def digest_of(digest: bytes) -> bytes:
    """The digest, if it is long enough to be one. Raises HashRefused."""
    if not _SHORTEST_DIGEST <= len(digest) <= _LONGEST_DIGEST:
        raise HashRefused(f"A digest has {_SHORTEST_DIGEST} to {_LONGEST_DIGEST} bytes; this one was cut, or is none.")
    return digest


def salt_of(salt: bytes) -> bytes:
    """The salt, of a length that the column has room for. Raises HashRefused."""
    if not 1 <= len(salt) <= _LONGEST_SALT:
        raise HashRefused(f"A salt has 1 to {_LONGEST_SALT} bytes.")
    return salt


def unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()
