"""From a kind and its values to subject, text and HTML: templates/mail/<kind>.txt and .html, the subject is the first line of the .txt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from flask import current_app

from .. import languages
from ..settings import Settings
from .contents import Contents

#: kind -> the values that its templates need; those with a question mark may be left out. A test holds the templates to it.
KINDS: dict[str, frozenset[str]] = {
    "verify_email": frozenset({"link", "code", "ends_at", "network"}),
    "email_change": frozenset({"link", "code", "ends_at", "network"}),  # to the new address
    "email_changed": frozenset({"new_email", "at", "network", "link?", "ends_at?"}),  # to the old one; a link undoes it
    "reset_password": frozenset({"link", "code", "ends_at", "network"}),
    "password_changed": frozenset({"at", "network"}),
    "account_exists": frozenset({"network"}),  # somebody tried to sign up with an address that has an account
    "no_account": frozenset({"network"}),  # somebody asked for a new password at an address without an account
    "invitation": frozenset({"link", "ends_at"}),
    "new_device": frozenset({"device", "at", "network"}),
    "factor_added": frozenset({"factor", "at", "network"}),
    "factor_removed": frozenset({"factor", "at", "network"}),
    "test": frozenset({"at"}),  # `flask mail test`
}
#: What `factor` may be; each has a sentence of its own in the templates.
FACTORS = ("totp", "passkey", "recovery_codes")

_LINKS = frozenset({"link"})
_TIMES = frozenset({"ends_at", "at"})
_MAX_LINK = 2000
_MAX_TEXT = 100
# What the parts leave that have nothing to say.
_BLANK_LINES = re.compile(r"\n{3,}")


def render(kind: str, values: Mapping[str, Any], language: str | None, settings: Settings) -> Contents:
    """The mail in its language. Raises KeyError for an unknown kind, TypeError and ValueError for values that do not fit it."""
    checked = _checked(kind, values, settings)
    with languages.using(language) as spoken:
        facts: dict[str, Any] = {
            "request_locale": spoken,
            "request_direction": languages.DIRECTIONS[spoken],
            "issuer": settings.issuer,
        }
        # By Jinja itself: what pages are given (context processors) belongs to a request, and mails have none.
        find = current_app.jinja_env.get_template
        text = find(f"mail/{kind}.txt").render(facts | checked)
        html = find(f"mail/{kind}.html").render(facts | checked)
    subject, _, body = text.strip().partition("\n")
    return Contents(subject.strip(), _BLANK_LINES.sub("\n\n", body).strip() + "\n", html)


def _checked(kind: str, values: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    named = KINDS[kind]
    possible = {name.removesuffix("?") for name in named}
    if missing := {name for name in named if not name.endswith("?")} - set(values):
        raise TypeError(f"the mail {kind} lacks {', '.join(sorted(missing))}")
    if surplus := set(values) - possible:
        raise TypeError(f"the mail {kind} has no {', '.join(sorted(surplus))}")
    return {name: _value(name, values.get(name), settings) for name in possible}


def _value(name: str, value: Any, settings: Settings) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return float(value)
    text = str(value)
    if name == "factor" and text not in FACTORS:
        raise ValueError(f"{name} is one of {', '.join(FACTORS)}")
    if name in _LINKS:
        # A link leads to this server, whatever a request said about its name (RC-01), and it is one word.
        if not text.startswith(settings.issuer + "/") or len(text) > _MAX_LINK or not _is_one_word(text):
            raise ValueError(f"{name} is not an address of this server")
        return text
    return _one_line(text)[:_MAX_TEXT]


def _is_one_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _one_line(text: str) -> str:
    """What a stranger chose, without line ends and what turns or hides text (RC-12)."""
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).strip()
