"""POST /language: the person chooses a language; a cookie remembers it for a year, and the same page comes again.

The address of that page travels sealed in the form: no page repeats what its address carried, and nobody else chooses where this leads.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, Response, make_response, redirect, request

from .. import csrf, languages, strict_form
from ..errors import PageError, Pages
from .catalogues import SUPPORTED

blueprint = Pages("languages", __name__)

_COOKIE_LIFETIME = 365 * 86400
_NONCE_BYTES = 12
#: Where the choice leads when its page has no address that shows it again.
ELSEWHERE = "/login"
MAX_PAGE = 4000
# A path of this site and nothing else: no second slash that would name a host, no backslash that browsers read as one.
_PAGE = re.compile(r"/(?:[A-Za-z0-9_.~%-]+(?:/[A-Za-z0-9_.~%-]+)*)?(?:\?[A-Za-z0-9_.~%!$&'()*+,;=:@/?-]*)?", re.ASCII)
_SEALED = re.compile(r"[A-Za-z0-9_-]{1,8000}={0,2}", re.ASCII)


@blueprint.post("/language")
def choose() -> Response:
    """Remember the language, and go back to the page where it was chosen."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "language")
    language = form.get("language", "")
    if language not in SUPPORTED:
        raise PageError("bad_request", developer="The language is not one that this server speaks.")
    response = make_response(redirect(_opened(form.get("page", "")), code=303))
    response.set_cookie(
        languages.cookie_name(),
        language,
        max_age=_COOKIE_LIFETIME,
        secure=languages.settings().is_https,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def this_page() -> str:
    """The address that shows this page again, sealed: its own, or that of its parked request."""
    path = quote(request.path, safe="/~")
    query = request.query_string.decode("latin-1") if request.method == "GET" else ""
    if not query and (transaction := languages.transaction()):
        query = f"transaction={quote(transaction, safe='')}"
    page = next((page for page in (f"{path}?{query}", path) if is_page(page)), ELSEWHERE).removesuffix("?")
    nonce = secrets.token_bytes(_NONCE_BYTES)
    key = languages.settings().derive_key("language-page")
    return urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, page.encode(), None)).decode()


def is_page(page: str) -> bool:
    """Whether this is an address of ours that a browser cannot take for anybody else's."""
    return len(page) <= MAX_PAGE and _PAGE.fullmatch(page) is not None


def _opened(sealed: str) -> str:
    if not _SEALED.fullmatch(sealed) or len(sealed) % 4:
        return ELSEWHERE
    raw = urlsafe_b64decode(sealed)
    for key in languages.settings().derive_keys("language-page"):
        try:
            page = AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError):
            continue
        return page if is_page(page) else ELSEWHERE
    return ELSEWHERE


def mount(app: Flask) -> None:
    app.jinja_env.globals.update(this_page=this_page, language_names=languages.NAMES)
    app.register_blueprint(blueprint)
