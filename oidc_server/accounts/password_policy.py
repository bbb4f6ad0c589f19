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

from ..languages import sentences, translate
from ..server import current_server
from ..settings import Settings
from . import breached
from .passwords import MAX_LENGTH

#: Words of the product itself (ASVS 6.1.2); the host name of the issuer joins them.
PRODUCT_WORDS = ("oidc_server", "oidc server", "openid connect")

# What a password must hold beside a name that everybody knows.
_LEAST_BESIDE_A_NAME = 8
_SHORTEST_WORD = 3

TOO_SHORT, TOO_LONG, COMMON, NAMES, UNREADABLE, BREACHED = sentences(
    "Use at least %(count)s characters; a few words with spaces are fine.",
    "Use at most %(count)s characters.",
    "This password, or what it is built from, is one of the most common ones and would be guessed first.",
    "This password says little more than your name, your address or the name of this site.",
    "This password holds characters that cannot be stored; use letters, digits, signs and spaces.",
    "This password was among those stolen from other sites, which are tried first everywhere.",
)


class PasswordRefused(ValueError):
    """A password cannot be used; `reasons` are sentences for the person."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def require_good_password(password: str, names: tuple[str | None, ...] = ()) -> None:
    """require_good() with the settings of the current app. Raises PasswordRefused."""
    require_good(password, current_server.settings, names=names)


def require_good(password: str, settings: Settings, *, names: tuple[str | None, ...] = ()) -> None:
    """Refuse a password that is too short or too easy; `names` are the person's own. Raises PasswordRefused.

    With `breached_passwords_url` a good one is looked up as well, which takes up to a second: not to be called inside transact().
    """
    reasons = _reasons(password, settings, names)
    if not reasons and settings.breached_passwords_url:
        reasons = [translate(BREACHED)] if breached.is_known(password, settings.breached_passwords_url) else []
    if reasons:
        raise PasswordRefused(reasons)


def _reasons(password: str, settings: Settings, names: tuple[str | None, ...]) -> list[str]:
    if len(password) > MAX_LENGTH:
        return [translate(TOO_LONG, count=MAX_LENGTH)]
    if any(unicodedata.category(character) == "Cs" for character in password):
        return [translate(UNREADABLE)]
    normalised = unicodedata.normalize("NFKC", password)
    reasons = []
    if len(normalised) < settings.password_min_length:
        reasons.append(translate(TOO_SHORT, count=settings.password_min_length))
    folded = normalised.casefold()
    if _is_common(folded):
        reasons.append(translate(COMMON))
    host = urlsplit(settings.issuer).hostname or ""
    for name in (*names, host, *PRODUCT_WORDS):
        if name and _says_little_beside(folded, name):
            reasons.append(translate(NAMES))
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
    # Digits and signs around a common word are what everybody adds first; then the word again, with a sign between.
    bare = re.sub(r"\A[\W\d_]+|[\W\d_]+\Z", "", folded)
    for candidate in {folded, bare, re.sub(r"[\W_]+", "", bare)}:
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
