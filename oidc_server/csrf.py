"""Our own forms come from our own pages: an HMAC bound to this browser, and what the browser says about the sender.

RFC 9700 §4.7, OWASP ASVS 3.5.1. The browser is known by a random cookie that says nothing about who uses it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, request
from markupsafe import Markup

from . import audit, here
from .errors import PageError
from .settings import Settings

FIELD = "csrf_token"
_COOKIE_LIFETIME = 365 * 86400
_BROWSER_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}", re.ASCII)
_SALT_BYTES = 16


def mount(app: Flask, settings: Settings) -> None:
    """Give templates `csrf_field(purpose)` and set the browser's cookie on the response that first needs it."""
    app.extensions["csrf"] = settings
    app.jinja_env.globals["csrf_field"] = csrf_field
    app.after_request(_write_cookie)


def cookie_name() -> str:
    """`__Host-` keeps sibling hosts from setting the cookie; it needs https (RFC 6265bis §4.1.3.2)."""
    return "__Host-oidc_browser" if _settings().is_https else "oidc_browser"


def browser_id() -> str:
    """The 256 random bits that this browser carries; made, and set on the response, when it brings none."""
    if "browser_id" not in g:
        brought = read_cookie(request, cookie_name())
        if brought is not None and _BROWSER_ID.fullmatch(brought):
            g.browser_id = brought
        else:
            g.browser_id = g.new_browser_id = secrets.token_urlsafe(32)
    found: str = g.browser_id
    return found


def read_cookie(request: Request, name: str) -> str | None:
    """A cookie's value; one that came twice counts as none, because one of the two was tossed in by somebody."""
    values = request.cookies.getlist(name)
    return values[0] if len(values) == 1 else None


def token(purpose: str) -> str:
    """A token for the forms of one purpose in this browser; salted, so that no two pages carry the same (BREACH)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return urlsafe_b64encode(salt + _mac(_settings().derive_key("csrf"), salt, browser_id(), purpose)).decode()


def csrf_field(purpose: str) -> Markup:
    """The hidden field that a form of this purpose needs."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token(purpose))


def check(form: Mapping[str, str], purpose: str) -> None:
    """Refuse a form that did not come from a page of ours in this very browser. Raises PageError 403."""
    reason = _sender_problem() or _token_problem(form.get(FIELD, ""), purpose)
    if reason:
        audit.record(audit.CSRF_REFUSED, purpose=purpose, reason=reason)
        raise PageError(
            "stale_form",
            error="access_denied",
            developer="The form did not come from a page of this server in the same browser.",
            detail=f"csrf: {reason}",
            status=403,
        )


class ForeignSender(Exception):
    """Another site made the browser send a request."""


def check_sender(purpose: str) -> None:
    """Refuse what a page of another site sends, for an address that takes JSON alone and so needs no token.

    Forms cannot send JSON, and scripts of other sites must ask before they do (Fetch, CORS preflight), which nobody answers; this is
    the second wall. Programs that are no browsers send neither header. Raises ForeignSender.
    """
    # Unlike forms, scripts say where they are from whatever the referrer policy of their page is.
    is_hidden = request.headers.get("Origin") == "null"
    reason = "its origin is hidden" if is_hidden else _sender_problem()
    if reason:
        audit.record(audit.CSRF_REFUSED, purpose=purpose, reason=reason)
        raise ForeignSender


def _settings() -> Settings:
    settings = current_app.extensions["csrf"]
    assert isinstance(settings, Settings)
    return settings


def _sender_problem() -> str | None:
    """What the browser says about the page that sent the form (Fetch Metadata, RFC 6454 §7).

    Our pages say `Referrer-Policy: no-referrer`, under which browsers send `Origin: null` with a form. So null passes
    here; a sandboxed frame sends it too, but is cross-site in Sec-Fetch-Site, and has no token in any browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none"):
        return "the browser says that another site sent it"
    origin = request.headers.get("Origin")
    # headers.py has checked the Host, so it is the issuer's, or in development another name of this machine.
    host = request.environ.get("HTTP_HOST", "").lower()
    scheme = urlsplit(_settings().issuer).scheme
    own = {f"{scheme}://{host}", f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"}
    if origin not in (None, "null", *own):
        return "its origin is another"
    return None


def _token_problem(sent: str, purpose: str) -> str | None:
    if not _TOKEN.fullmatch(sent):
        return "the token is missing or malformed"
    raw = urlsafe_b64decode(sent)
    salt, mac = raw[:_SALT_BYTES], raw[_SALT_BYTES:]
    browser = browser_id()
    # Every key is tried, so that the time tells nothing about which one fits.
    fits = [hmac.compare_digest(mac, _mac(key, salt, browser, purpose)) for key in _settings().derive_keys("csrf")]
    return None if any(fits) else "the token is of another browser or purpose"


def _mac(key: bytes, salt: bytes, browser: str, purpose: str) -> bytes:
    return hmac.digest(key, b"\0".join((salt, browser.encode(), purpose.encode())), hashlib.sha256)


def _write_cookie(response: Response) -> Response:
    made = here.g().get("new_browser_id")
    if made is not None:
        response.set_cookie(
            cookie_name(),
            made,
            max_age=_COOKIE_LIFETIME,
            secure=_settings().is_https,
            httponly=True,
            samesite="Lax",
            path="/",
        )
    return response
