"""A word that one page leaves for the next: "saved" after a form was sent, in a cookie that lives a minute.

The cookie holds a word that the next page knows and nothing else, so that nobody can put sentences into our mouth by a link.
"""

from __future__ import annotations

import re

from flask import Flask, Response, g, request

from .. import csrf, here
from ..responses import see_other
from ..server import current_server

_LIFETIME = 60
_WORD = re.compile(r"[a-z-]{1,40}", re.ASCII)


def go_on(path: str, word: str) -> Response:
    """303 to a page of ours that is to say what was done."""
    response = see_other(path)
    _set(response, word, _LIFETIME)
    return response


def take() -> str | None:
    """The word that was left for this page, said once."""
    word = csrf.read_cookie(request, _name())
    if word is None:
        return None
    g.account_notice_taken = True
    return word if _WORD.fullmatch(word) else None


def mount(app: Flask) -> None:
    app.after_request(_forget)


def _forget(response: Response) -> Response:
    if here.g().get("account_notice_taken"):
        _set(response, "", 0)
    return response


def _set(response: Response, value: str, lifetime: int) -> None:
    is_https = current_server.settings.is_https
    response.set_cookie(_name(), value, max_age=lifetime, secure=is_https, httponly=True, samesite="Lax", path="/")


def _name() -> str:
    return "__Host-oidc_notice" if current_server.settings.is_https else "oidc_notice"
