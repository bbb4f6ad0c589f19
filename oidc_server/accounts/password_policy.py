"""Which passwords are refused when they are set, and why, in words for the person (SP 800-63B-4 §3.1.1.2).

Length is the one rule: no kinds of characters are asked for and none expires. Refused are common passwords (alone,
repeated, or with digits and signs around them) and those that say little more than the person's or this server's name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from urllib.parse import urlsplit

from ..settings import Settings
from .passwords import MAX_LENGTH

#: Words of the product itself (ASVS 6.1.2); the host name of the issuer joins them.
PRODUCT_WORDS = ("oidc_server", "oidc server", "openid connect")

# What a password must hold beside a name that everybody knows.
_LEAST_BESIDE_A_NAME = 8
_SHORTEST_WORD = 3

TOO_LONG = f"Use at most {MAX_LENGTH} characters."
COMMON = "This password, or what it is built from, is one of the most common ones and would be guessed first."
NAMES = "This password says little more than your name, your address or the name of this site."
UNREADABLE = "This password holds characters that cannot be stored; use letters, digits, signs and spaces."


class PasswordRefused(ValueError):
    """A password cannot be used; `reasons` are sentences for the person."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def require_good(password: str, settings: Settings, *, names: tuple[str | None, ...] = ()) -> None:
    """Refuse a password that is too short or too easy; `names` are the person's own. Raises PasswordRefused."""
    reasons = _reasons(password, settings, names)
    if reasons:
        raise PasswordRefused(reasons)


def _reasons(password: str, settings: Settings, names: tuple[str | None, ...]) -> list[str]:
    if len(password) > MAX_LENGTH:
        return [TOO_LONG]
    if any(unicodedata.category(character) == "Cs" for character in password):
        return [UNREADABLE]
    normalised = unicodedata.normalize("NFKC", password)
    reasons = []
    if len(normalised) < settings.password_min_length:
        reasons.append(f"Use at least {settings.password_min_length} characters; a few words with spaces are fine.")
    folded = normalised.casefold()
    if _is_common(folded):
        reasons.append(COMMON)
    host = urlsplit(settings.issuer).hostname or ""
    for name in (*names, host, *PRODUCT_WORDS):
        if name and _says_little_beside(folded, name):
            reasons.append(NAMES)
            break
    return reasons


def _says_little_beside(folded: str, name: str) -> bool:
    word = unicodedata.normalize("NFKC", name).casefold()
    words = {word, word.partition("@")[0]}
    return any(
        len(one) >= _SHORTEST_WORD and one in folded and len(folded.replace(one, "")) < _LEAST_BESIDE_A_NAME
        for one in words
    )


def _is_common(folded: str) -> bool:
    # Digits and signs around a common word are what everybody adds first.
    for candidate in {folded, re.sub(r"\A[\W\d_]+|[\W\d_]+\Z", "", folded)}:
        if candidate and (candidate in _common_passwords() or _repeated_part(candidate) in _common_passwords()):
            return True
    return False


def _repeated_part(text: str) -> str:
    """The shortest text of which this one is a repetition; itself when it is none."""
    return text[: (text + text).find(text, 1)]


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    text = files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.partition("\n\n")[2].split("\n")) - {""}
