"""How an authorization response leaves: one renderer for success and error, one function per response mode.

OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode, RFC 9207 (`iss` in every response).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from flask import Response, make_response, render_template

from . import headers
from .server import AuthorizationServer, current_server

_NEEDS_NO_QUOTING = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)


def see_other(location: str) -> Response:
    """303: the browser goes on with GET. Never 307, which would post a password again to whoever is next (RFC 9700 §4.12)."""
    return Response(b"", 303, headers=[("Location", location), ("Content-Type", "text/plain; charset=utf-8")])


def redirect_with_query(redirect_uri: str, params: Mapping[str, str]) -> Response:
    """303 to the redirect URI, its own query kept as it was registered (RFC 6749 §3.1.2)."""
    encoded = "&".join(f"{name}={_quoted(value)}" for name, value in params.items())
    uri = redirect_uri + ("&" if "?" in redirect_uri else "?") + encoded
    if "error" in params:
        uri += "#_"  # or the browser would carry the fragment of our URL over to the app (RFC 9700 §4.1.3)
    return see_other(uri)


def _quoted(value: str) -> str:
    return value if _NEEDS_NO_QUOTING.fullmatch(value) else quote(value, safe="")


def post_as_form(redirect_uri: str, params: Mapping[str, str]) -> Response:
    """A page that posts the parameters to the redirect URI; it has a button for browsers without scripts."""
    headers.allow_form_action(redirect_uri, instead_of_self=True)
    return make_response(render_template("authorize/form_post.html", action=redirect_uri, params=list(params.items())))


MODES: dict[str, Callable[[str, Mapping[str, str]], Response]] = {
    "query": redirect_with_query,
    "form_post": post_as_form,
}
DEFAULT_MODE = "query"


def authorization_response(redirect_uri: str, mode: str, state: str | None, **params: str | None) -> Response:
    """Send an authorization response, or error, to a validated redirect URI with `state` and `iss` (RFC 9207 §2)."""
    sent = {name: value for name, value in params.items() if value}
    if state:
        sent["state"] = state
    sent["iss"] = current_server.settings.issuer
    response = MODES[mode](redirect_uri, sent)
    response.headers["Cache-Control"] = "no-store"
    return response


def mount(server: AuthorizationServer) -> None:
    server.advertise(response_modes_supported=list(MODES), authorization_response_iss_parameter_supported=True)
