"""The languages of our pages and mails: `_("English sentence")` in templates, `translate()` in Python. RFC 5646, RFC 9110 §12.5.4.

English sentences are the keys; catalogues/<language>.json holds the others, and `python -m oidc_server.languages` lists what is
missing. A request is answered in the language that the person chose (POST /language, a cookie), else that the app asked for
(`ui_locales`, OIDC Core §3.1.2.1), else of the account (`locale`), else of the browser (Accept-Language), else in English.
Nothing here reads a database: whoever reads a parked request or a session tells what it says by learn().
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask, Response, current_app, has_request_context, request
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import escape

from .. import here
from ..settings import Settings
from . import catalogues, negotiation
from .catalogues import DIRECTIONS, NAMES, SUPPORTED

__all__ = ["DIRECTIONS", "NAMES", "SUPPORTED", "current", "learn", "mount", "sentences", "translate", "using"]

_using: ContextVar[str | None] = ContextVar("oidc_language", default=None)
_ENVIRON = "oidc_server.languages"


def translate(sentence: str, **values: object) -> str:
    """The sentence in the language of this request; `%(name)s` stands for the value `name`. What has no translation stays English."""
    return catalogues.fill(catalogues.find(current(), sentence, values), sentence, values, str)


def sentences(*texts: str) -> tuple[str, ...]:
    """The texts themselves, marked as sentences that somebody hands to translate() later."""
    return texts


def current() -> str:
    """The language of this request or of using(), one of SUPPORTED."""
    if (chosen := _using.get()) is not None:
        return chosen
    if not has_request_context():
        return catalogues.ENGLISH
    facts = _facts()
    if "language" not in facts:
        facts["language"] = _choose(facts)
    language: str = facts["language"]
    return language


@contextmanager
def using(language: str | None) -> Iterator[str]:
    """Everything within speaks this language, such as a mail to somebody else; an unknown one, or None, is English."""
    known = negotiation.of_locale(language) or catalogues.ENGLISH
    token = _using.set(known)
    try:
        yield known
    finally:
        _using.reset(token)


def learn(
    *, ui_locales: str | None = None, person: Mapping[str, Any] | None = None, transaction: str | None = None
) -> None:
    """What this request turned out to be about: the app's `ui_locales`, the claims of the person, the parked request it goes on with."""
    if not has_request_context():
        return
    facts = _facts()
    facts.pop("language", None)
    if ui_locales is not None:
        facts["ui_locales"] = ui_locales
    if person is not None:
        facts["person"] = person
    if transaction is not None:
        facts["transaction"] = transaction


def person() -> Mapping[str, Any]:
    """The claims that learn() was told of, or none."""
    found: Mapping[str, Any] = _facts().get("person", {}) if has_request_context() else {}
    return found


def transaction() -> str | None:
    """The parked request that this request goes on with, as learn() was told."""
    return _facts().get("transaction")


def cookie_name() -> str:
    """`__Host-` keeps sibling hosts from setting the cookie; it needs https (RFC 6265bis §4.1.3.2)."""
    return "__Host-oidc_language" if settings().is_https else "oidc_language"


def settings() -> Settings:
    found = current_app.extensions["languages"]
    assert isinstance(found, Settings)
    return found


def mount(app: Flask, values: Settings) -> None:
    """Give templates `_`, the language and its direction; tell caches and screen readers what was chosen."""
    from . import choice, moments  # errors.py translates, and the choice answers with its pages

    app.extensions["languages"] = values
    app.jinja_env.globals["_"] = _in_template
    app.context_processor(lambda: {"request_locale": current(), "request_direction": DIRECTIONS[current()]})
    app.after_request(_tell)
    moments.mount(app)
    choice.mount(app)


@pass_eval_context
def _in_template(context: EvalContext, sentence: str, **values: object) -> str:
    """The same in a template: in HTML the sentence is ours and the values are escaped, in the text of a mail nothing is."""
    found = catalogues.find(current(), sentence, values)
    return catalogues.fill(found, sentence, values, escape if context.autoescape else str)


def _facts() -> dict[str, Any]:
    # In the environ, because one application context may be held over many requests.
    facts: dict[str, Any] = here.request().environ.setdefault(_ENVIRON, {})
    return facts


def _choose(facts: Mapping[str, Any]) -> str:
    cookies = request.cookies.getlist(cookie_name())
    chosen = cookies[0] if len(cookies) == 1 and cookies[0] in SUPPORTED else None
    return (
        chosen
        or negotiation.of_ui_locales(facts.get("ui_locales"))
        or negotiation.of_locale(facts.get("person", {}).get("locale"))
        or negotiation.of_accept_language(request.headers.get("Accept-Language"))
        or catalogues.ENGLISH
    )


def _tell(response: Response) -> Response:
    """Name the language of what was said to a person, and what decided it (RFC 9110 §8.5, §12.5.5)."""
    if "language" in _facts() and not 300 <= response.status_code < 400:
        response.headers["Content-Language"] = current()
        response.vary.update(("Accept-Language", "Cookie"))
    return response
