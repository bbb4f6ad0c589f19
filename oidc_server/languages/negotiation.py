"""Which of our languages somebody asks for: `ui_locales`, a `locale` claim, Accept-Language. Strict, bounded, and never an error.

OIDC Core §3.1.2.1 and §5.2, RFC 4647 §3.4 (lookup by cutting subtags off), RFC 9110 §12.5.4.
"""

from __future__ import annotations

import re

from .catalogues import SUPPORTED

MAX_HEADER = 1000
MAX_TAGS = 30

# OIDC Core §5.1: some write a locale with an underscore.
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8}){0,7}", re.ASCII)
_RANGE = re.compile(
    r"(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7})(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)


def of_locale(locale: object) -> str | None:
    """The language of one tag such as de-AT or ar_EG, if we speak it."""
    if not isinstance(locale, str) or len(locale) > MAX_HEADER:
        return None
    found = _TAG.fullmatch(locale)
    language = found[1].lower() if found else ""
    return language if language in SUPPORTED else None


def of_ui_locales(ui_locales: object) -> str | None:
    """The first of the space-separated tags, in the order of preference, that we speak."""
    if not isinstance(ui_locales, str) or len(ui_locales) > MAX_HEADER:
        return None
    return next((language for tag in ui_locales.split(" ")[:MAX_TAGS] if (language := of_locale(tag))), None)


def of_accept_language(header: str | None) -> str | None:
    """The language of the range with the highest quality; of equal ones, the first. A range that is malformed counts for nothing."""
    if not header or len(header) > MAX_HEADER:
        return None
    wanted: list[tuple[float, str]] = []
    for text in header.split(",")[:MAX_TAGS]:
        if (found := _RANGE.fullmatch(text.strip(" \t"))) is None:
            continue
        wanted.append((float(found[2] or 1), found[1]))
    refused = {of_locale(tag) for quality, tag in wanted if quality == 0 and "-" not in tag}
    offered = (of_locale(tag) for quality, tag in sorted(wanted, key=lambda one: -one[0]) if quality > 0)
    return next((language for language in offered if language and language not in refused), None)
