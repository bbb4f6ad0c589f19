"""What every response carries: request id, policy of the page, caching; and which host and paths are ours at all.

CSP Level 3, RFC 6797 (HSTS), RFC 9110 §7.4 (wrong host), RFC 9700 §2.6, §4.2, §4.16. Mounted before
everything else, it comes first in every request and has the last word on every response.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, url_for

from . import cors, edge, here
from .settings import Settings
from .settings_checks import is_loopback

_ON_EVERY_RESPONSE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Servers add their own name and version only when this is missing.
    "Server": "oidc",
}
_POLICY_OF_A_PAGE = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{images}; {connect}form-action {forms}; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
_POLICY_OF_THE_REST = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
_ONE_YEAR = 31536000

# What a CSP source list and an Origin header can hold; a semicolon, for one, would start another directive.
_HOST_AND_PORT = re.compile(r"[a-z0-9._-]+(:\d{1,5})?", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_SCHEMES_THAT_RUN = frozenset({"javascript", "data", "blob", "file", "filesystem", "about", "vbscript"})


@dataclass
class _State:
    """What one app knows about its own address and its static files."""

    settings: Settings
    hosts: frozenset[str]
    versions: dict[str, str]


def mount(app: Flask, settings: Settings) -> None:
    """Put the headers on every response, and the globals `static`, `logo`, `issuer_host` into the templates."""
    app.extensions["headers"] = _State(settings, _own_hosts(settings), _versions(app))
    app.jinja_env.globals.update(static=static, logo=logo, issuer_host=urlsplit(settings.issuer).netloc.lower())
    cors.mount(app)
    app.before_request(_arrive)
    app.after_request(_leave)
    always = dict(_ON_EVERY_RESPONSE)
    if settings.is_https:
        always["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"
    edge.mount(app, app.extensions["headers"].hosts, always, {"Content-Security-Policy": _POLICY_OF_THE_REST})


def allow_form_action(*uris: str, instead_of_self: bool = False) -> None:
    """Let forms of this response lead to the origins, or private schemes, of these URIs.

    Chromium applies `form-action` to every redirect after a form was sent, those that the client makes behind its
    redirect URI included: a page whose form may end at a client allows the redirect URI and the client's other
    registered addresses too. `instead_of_self` is for the form_post page, whose only form goes to the client.
    """
    g.form_action = [*g.get("form_action", []), *filter(None, map(_source, uris))]
    g.form_action_self = not instead_of_self


def allow_fetch() -> None:
    """Let scripts of this page ask this very server, as passkeys must for their challenges."""
    g.connect = "connect-src 'self'; "


def keep_opener() -> None:
    """Let the window that opened this page (`display=popup`) go on seeing it; COOP would make it look closed."""
    g.keep_opener = True


def static(name: str) -> str:
    """The URL of a static file, with its version, so that browsers may keep it. Raises KeyError for an unknown file."""
    return url_for("static", filename=name, v=_state().versions[name])


def logo(uri: str) -> str:
    """The URI if this page may show it, else the empty string: only https, and only its origin enters the policy."""
    source = _source(uri)
    if source is None or not source.startswith("https://"):
        return ""
    g.images = [*g.get("images", []), source]
    return uri


def _state() -> _State:
    state = here.app().extensions["headers"]
    assert isinstance(state, _State)
    return state


def _own_hosts(settings: Settings) -> frozenset[str]:
    issuer = urlsplit(settings.issuer)
    names = {issuer.netloc.lower().removesuffix(f":{issuer.port}")}
    if not settings.is_production and is_loopback(issuer.hostname or ""):
        names |= {"localhost", "127.0.0.1", "[::1]"}
    default = 443 if issuer.scheme == "https" else 80
    hosts = {f"{name}:{issuer.port or default}" for name in names}
    return frozenset(hosts | names if issuer.port in (None, default) else hosts)


def _versions(app: Flask) -> dict[str, str]:
    folder = Path(app.static_folder or "")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for name, path in files.items()}


def _source(uri: str) -> str | None:
    """The CSP source expression that covers where a URI leads, or None when there is none that is safe."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if not _VISIBLE.fullmatch(uri):
        return None  # urlsplit drops spaces and line ends that a browser would be shown
    if parts.scheme in ("http", "https"):
        if parts.netloc.startswith("["):
            return f"{parts.scheme}:"  # CSP has no grammar for IPv6 literals; Chromium ignores them
        return f"{parts.scheme}://{parts.netloc.lower()}" if _HOST_AND_PORT.fullmatch(parts.netloc.lower()) else None
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _SCHEMES_THAT_RUN:
        return None
    return f"{parts.scheme}:"


def _arrive() -> Response | None:
    here.g().request_id = secrets.token_hex(6)
    state, sent = _state(), here.request()
    # The environment's own text: werkzeug would repair a missing Host with the server's name.
    if sent.environ.get("HTTP_HOST", "").lower() not in state.hosts and sent.path != "/healthz":
        return Response(f"This server answers at {state.settings.issuer} only.\n", status=421, mimetype="text/plain")
    if (sent.url_rule is None or sent.view_args) and not _is_canonical(sent.path):
        abort(404)  # before werkzeug could repair the path by a redirect
    if sent.method == "OPTIONS" and cors.is_answered(sent.path):
        return Response(status=204)
    return None


def _is_canonical(path: str) -> bool:
    if path != "/" and path.endswith("/"):
        return False
    return not (re.search(r"//|[;\\\x00-\x1f\x7f]", path) or {".", ".."} & set(path.split("/")))


def _leave(response: Response) -> Response:
    state, sent, facts = _state(), here.request(), here.g()
    is_page = response.mimetype == "text/html"
    # As a list that edge.py appends: each of these took 3 µs to set on werkzeug's Headers.
    more = sent.environ[edge.MORE] = [("X-Request-ID", facts.get("request_id", "-"))]
    more.append(("Content-Security-Policy", _policy_of_this_page() if is_page else _POLICY_OF_THE_REST))
    # On a redirect it would cut off a popup that never shows a page of ours.
    if is_page and not 300 <= response.status_code < 400 and "keep_opener" not in facts:
        more.append(("Cross-Origin-Opener-Policy", "same-origin"))
    _set_caching(response, sent, state)
    more += cors.headers_of(sent)
    return response


def _policy_of_this_page() -> str:
    forms = dict.fromkeys((["'self'"] if g.get("form_action_self", True) else []) + g.get("form_action", []))
    images = "".join(f" {source}" for source in dict.fromkeys(g.get("images", [])))
    return _POLICY_OF_A_PAGE.format(images=images, connect=g.get("connect", ""), forms=" ".join(forms) or "'none'")


def _set_caching(response: Response, sent: Request, state: _State) -> None:
    if response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"  # no error outlives its cause, on cacheable paths least (WB-15)
    elif sent.endpoint == "static":
        name = (sent.view_args or {}).get("filename", "")
        # A version that is not ours may be a newer one: during a deployment nobody may keep the wrong file.
        known = sent.query_string == f"v={state.versions.get(name)}".encode()
        response.headers["Cache-Control"] = f"public, max-age={_ONE_YEAR}, immutable" if known else "no-cache"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
