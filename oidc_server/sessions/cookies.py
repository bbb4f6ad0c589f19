"""The session cookie: read once, written after the request."""

from __future__ import annotations

from flask import Flask, Response, g, request

from .. import csrf, here
from ..server import current_server


def name() -> str:
    """`__Host-` binds the cookie to this very host, which needs https (RFC 6265bis §4.1.3.2)."""
    return "__Host-oidc_session" if current_server.settings.is_https else "oidc_session"


def read() -> str | None:
    """The cookie's value; a duplicated cookie counts as none, because one of the two was tossed in by somebody."""
    return csrf.read_cookie(request, name())


def write(value: str | None) -> None:
    """Have the answer of this request set the cookie, or delete it with None."""
    g.session_cookie = value


def mount(app: Flask) -> None:
    app.after_request(_write)


def _write(response: Response) -> Response:
    facts = here.g()
    if "session_cookie" in facts:
        value = facts.session_cookie
        settings = current_server.settings
        response.set_cookie(
            name(),
            value or "",
            # A browser session: the server's own limits decide, and closing the browser ends it earlier.
            max_age=None if value else 0,
            secure=settings.is_https,
            httponly=True,
            samesite="Lax",
            path="/",
        )
    return response
