"""Which scripts of other sites may call us and read the answers: CORS, of the Fetch standard. RFC 9700 §2.6.

Documents for everybody, and endpoints for the scripts of registered apps. No other path answers CORS, pages and /authorize least of
all. Introspection is for servers, which need none.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Request

from . import here

log = logging.getLogger(__name__)

_DOCUMENTS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks.json")
_FOR_EVERYBODY = dict.fromkeys(_DOCUMENTS, "GET")
_FOR_REGISTERED_ORIGINS = {"/token": "POST", "/revoke": "POST", "/userinfo": "GET, POST"}
ORIGIN_CACHE_SECONDS = 10.0
_MOST_ORIGINS = 1000

# What an Origin header can hold; "null" is none.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.ASCII)


@dataclass
class _Origins:
    """The origins of the clients of one app, as far as they were asked for."""

    is_registered: Callable[[str], bool] = lambda origin: False
    seen: dict[str, tuple[bool, float]] = field(default_factory=dict)


def mount(app: Flask) -> None:
    app.extensions["cors"] = _Origins()


def use_origin_lookup(app: Flask, is_registered: Callable[[str], bool]) -> None:
    """Plug in who knows the origins of registered clients; answers are kept for ORIGIN_CACHE_SECONDS."""
    app.extensions["cors"].is_registered = is_registered


def is_answered(path: str) -> bool:
    """Whether scripts may ask about this path beforehand (OPTIONS)."""
    return path in _FOR_EVERYBODY or path in _FOR_REGISTERED_ORIGINS


def headers_of(request: Request) -> list[tuple[str, str]]:
    """What browsers are told with the response to this request."""
    if request.path in _FOR_EVERYBODY:
        return [("Access-Control-Allow-Origin", "*"), *_beforehand(request, _FOR_EVERYBODY[request.path])]
    if request.path not in _FOR_REGISTERED_ORIGINS:
        return []
    origin = request.environ.get("HTTP_ORIGIN", "")
    if not _is_registered(origin):
        return [("Vary", "Origin")]
    return [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After"),
        *_beforehand(request, _FOR_REGISTERED_ORIGINS[request.path]),
    ]


def _beforehand(request: Request, methods: str) -> list[tuple[str, str]]:
    if request.method != "OPTIONS":
        return []
    return [
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
        ("Access-Control-Max-Age", "600"),
    ]


def _is_registered(origin: str) -> bool:
    if not _ORIGIN.fullmatch(origin):
        return False
    origins: _Origins = here.app().extensions["cors"]
    # How long an answer is kept is no protocol time, so the one notion of now is not asked.
    now = time.monotonic()
    known = origins.seen.get(origin)
    if known and known[1] > now:
        return known[0]
    try:
        registered = origins.is_registered(origin)
    except Exception:  # an outage must leave as the 503 it is, so the last known answer serves
        log.warning("origin lookup failed", exc_info=True)
        return known is not None and known[0]
    if len(origins.seen) >= _MOST_ORIGINS:
        origins.seen.clear()
    origins.seen[origin] = (registered, now + ORIGIN_CACHE_SECONDS)
    return registered
