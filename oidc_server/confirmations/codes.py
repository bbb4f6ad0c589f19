"""The code that a person types instead of following the link: 8 digits, compared by an HMAC that is bound to its handle."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

from ..settings import Settings

CODE_DIGITS = 8
#: Wrong codes after which no code opens this confirmation: one chance in twenty million for a guesser.
MOST_TRIES = 5

_PURPOSE = "confirmation-code"
# Longer than anybody would type between digits; what is longer is not looked at.
_MAX_LENGTH = 64


def make() -> str:
    """A new code: 8 random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def shown(code: str) -> str:
    """The code as a mail shows it, in two groups of four, which people read and type without losing their place."""
    return f"{code[:4]} {code[4:]}"


def typed(text: str) -> str:
    """The digits of what a person typed: any script's digits (an Arabic or Japanese keyboard), without spaces and dashes between them."""
    digits = [_digit(character) for character in text[:_MAX_LENGTH] if not _is_between(character)]
    return "".join(digits)


def hash_of(code: str, handle: str, settings: Settings) -> str:
    """What is stored of a code: 8 digits are few, so a plain hash in a copy of the database would tell them."""
    return _mac(settings.derive_key(_PURPOSE), code, handle)


def matches(code: str, handle: str, stored: str, settings: Settings) -> bool:
    """Whether this is the code, in a time that does not depend on how much of it is right."""
    fits = [hmac.compare_digest(stored, _mac(key, code, handle)) for key in settings.derive_keys(_PURPOSE)]
    return any(fits)


def _mac(key: bytes, code: str, handle: str) -> str:
    return hmac.new(key, f"{handle} {code}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return "?" if value is None else str(value)


def _is_between(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Pd", "Cf", "Cc")
