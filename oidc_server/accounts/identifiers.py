"""What a person may be called: user names and e-mail addresses, and the one key under which each is found again.

A user name is NFKC-normalised and shown as typed; its key is folded as well, so that `Alice`, `ＡＬＩＣＥ` and `alice `
are one account. Folding follows Unicode (`ß` is `ss`, the Kelvin sign is `k`); dotless `ı` and dotted `İ` become `i`.

Allowed in a user name: letters of one script out of SCRIPTS (Japanese and Korean mix theirs as people write them), the
digits 0 to 9, and `.`, `_`, `-` between them. Refused: `@` (it marks an address), spaces, everything invisible, letters
that only phonetics or old prints use, and Cyrillic or Greek names made only of letters that look Latin (UTS 39).
"""

from __future__ import annotations

import re
import unicodedata

from ..languages import translate

MAX_USERNAME_LENGTH = 64
MAX_EMAIL_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
_MAX_LOCAL_PART_LENGTH = 64

#: Scripts a user name may be written in, by the first word of a character's Unicode name.
SCRIPTS = frozenset(
    [
        *("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "THAI"),
        *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA"),
        *("CJK", "HIRAGANA", "KATAKANA", "HANGUL"),
    ]
)
_MIXABLE = (frozenset({"CJK", "HIRAGANA", "KATAKANA"}), frozenset({"CJK", "HANGUL"}))
# Letters of languages of today; those between them (phonetics, small capitals, medieval additions) imitate these.
_LATIN = (
    *((0x41, 0x137), (0x139, 0x17F), (0x18F, 0x18F), (0x1A0, 0x1A1), (0x1AF, 0x1B0)),
    *((0x1CD, 0x1DC), (0x218, 0x21B), (0x259, 0x259), (0x1E00, 0x1EFF)),
)
_HANGUL_SYLLABLES = (0xAC00, 0xD7A3)
_LATIN_LOOKALIKES = {
    "CYRILLIC": frozenset("аеорсухіјѕһԁԛԝӏАВЕЅІЈКМНОРСТУХҮԌ"),
    "GREEK": frozenset("ονικαυρχγωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
}
_IDEOGRAPHIC_MARKS = frozenset("々〆")
_PUNCTUATION = frozenset("._-")
_DIGITS = frozenset("0123456789")
_ASCII_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"\A{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+\Z")


class IdentifierRefused(ValueError):
    """A user name or e-mail address is not allowed; the message says why, in words for the person."""


def username_of(text: str) -> str:
    """The user name as it is kept and shown. Raises IdentifierRefused."""
    name = unicodedata.normalize("NFKC", text).strip(" ")
    if not name:
        raise IdentifierRefused(translate("A user name needs at least one letter or digit."))
    if "@" in name:
        raise IdentifierRefused(translate("A user name has no @; that is how e-mail addresses are told apart."))
    if len(name) > MAX_USERNAME_LENGTH or len(key_of(name)) > MAX_USERNAME_LENGTH:
        raise IdentifierRefused(translate("A user name has at most %(most)s characters.", most=MAX_USERNAME_LENGTH))
    if any(unicodedata.category(character)[0] in "CZ" for character in name):
        raise IdentifierRefused(translate("A user name has no spaces, line breaks or invisible characters."))
    if not (_is_alphanumeric(name[0]) and _is_alphanumeric(name[-1])):
        raise IdentifierRefused(translate("A user name begins and ends with a letter or a digit."))
    _require_one_script(name)
    return name


def email_of(text: str) -> str:
    """The e-mail address as it is kept: local part as typed, domain in lower case. Raises IdentifierRefused.

    Only what mail servers of today take: dot-atoms in ASCII, no quotes, comments or address literals (RFC 5321 §4.1.2).
    """
    address = text.strip(" ")
    local_part, at, domain = address.rpartition("@")
    if len(address) > MAX_EMAIL_LENGTH or len(local_part) > _MAX_LOCAL_PART_LENGTH:
        raise IdentifierRefused(
            translate(
                "An e-mail address has at most %(most)s characters, %(local)s of them before the @.",
                most=MAX_EMAIL_LENGTH,
                local=_MAX_LOCAL_PART_LENGTH,
            )
        )
    if not _EMAIL.match(address):
        raise IdentifierRefused(translate("That is not an e-mail address like name@example.org."))
    if domain.rpartition(".")[2].isdigit():
        raise IdentifierRefused(translate("An e-mail address ends with the name of a domain, not with a number."))
    return local_part + at + domain.lower()


def key_of(text: str) -> str:
    """The key of a user name or address: equal for everything a person would call the same; never fails."""
    if text.isascii():
        return text.strip(" ").lower()  # what the steps below come to, sooner
    folded = unicodedata.normalize("NFKC", text).strip(" ")
    while True:
        again = unicodedata.normalize("NFKC", folded.casefold()).replace("i\u0307", "i").replace("ı", "i")
        if again == folded:
            return folded
        folded = again


def is_email(text: str) -> bool:
    """Whether what somebody typed to sign in can only be an e-mail address."""
    return "@" in unicodedata.normalize("NFKC", text)


def _is_alphanumeric(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in _DIGITS


def _require_one_script(name: str) -> None:
    letters = set(name) - _DIGITS - _PUNCTUATION
    if letters <= _ASCII_LETTERS:
        return
    scripts = {_script_of(letter) for letter in letters}
    if len(scripts) > 1 and not any(scripts <= mix for mix in _MIXABLE):
        raise IdentifierRefused(translate("A user name keeps to the letters of one alphabet."))
    for script in scripts & _LATIN_LOOKALIKES.keys():
        if letters <= _LATIN_LOOKALIKES[script]:
            raise IdentifierRefused(translate("This user name looks like one in Latin letters; please choose another."))


def _script_of(character: str) -> str:
    code = ord(character)
    script = unicodedata.name(character, "?").partition(" ")[0].partition("-")[0]
    if character in _IDEOGRAPHIC_MARKS:
        script = "CJK"
    allowed = script in SCRIPTS and unicodedata.category(character)[0] in "LM"
    if script == "LATIN":
        allowed = allowed and any(low <= code <= high for low, high in _LATIN)
    if script == "HANGUL":  # its single letters include fillers that nobody sees
        allowed = allowed and _HANGUL_SYLLABLES[0] <= code <= _HANGUL_SYLLABLES[1]
    if not allowed:
        raise IdentifierRefused(translate("A user name has letters, the digits 0 to 9, and . _ - between them."))
    return script
