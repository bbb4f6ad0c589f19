"""How often somebody may ask: Flask-Limiter, the one table of limits, and what each limit counts by.

A limit is a setting such as `5/minute` and is exact over every window of its length: in one process, and across the
processes that share a Redis or Valkey. Guessing passwords is guarded in the database as well, by accounts/throttle.py.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many

from . import audit, errors, here
from .database import now
from .networks import client_network, parse_trusted_proxies
from .rate_windows import SCHEME
from .settings import Settings, SettingsError


class Limit(NamedTuple):
    """One row of the table: the setting that holds the rate, and what is counted together."""

    setting: str
    counts_by: str


LIMITS = {
    "sign_in": Limit("ratelimit_sign_in", "account and network, or account and known device"),
    "passkey": Limit("ratelimit_passkey", "network"),
    "sign_up": Limit("ratelimit_sign_up", "network"),
    "recover": Limit("ratelimit_recover", "network"),
    "confirm": Limit("ratelimit_confirm", "network"),
    "token": Limit("ratelimit_token", "client and network"),
    "default": Limit("ratelimit_default", "network"),
}

# Asked for by machines that watch us, and by every page: counting them would only hurt.
_EXEMPT_ENDPOINTS = frozenset({"static"})
_EXEMPT_PATHS = frozenset({"/healthz"})

# A flood must not fill the log: each limit and network is told about once in this many seconds.
_TELL_EVERY = 60.0
_MAX_TOLD = 10_000


class RateLimited(Exception):
    """There were too many requests; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int, name: str = "sign_in") -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        self.name = name


@dataclass(frozen=True)
class RateLimits:
    """The limits of one app; `items` is empty when they are switched off."""

    limiter: Limiter
    items: dict[str, list[RateLimitItem]]
    told: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)

    def hit(self, name: str, identifiers: tuple[str, ...]) -> None:
        items = self.items.get(name)
        if not items:
            return
        key = _key(name, *identifiers)
        for item in items:
            strategy = self.limiter.limiter
            if not strategy.hit(item, key):
                full = [one for one in items if not strategy.test(one, key)] or [item]
                waits = [_seconds_until(strategy.get_window_stats(one, key).reset_time, one) for one in full]
                raise RateLimited(max(waits), name)


def mount(app: Flask, settings: Settings) -> None:
    """Make the limits of this app. Raises SettingsError naming a setting that is no rate."""
    try:
        parse_trusted_proxies(settings.trusted_proxies)  # whose word decides what a network is
    except ValueError as error:
        raise SettingsError(str(error)) from error
    items = {name: _parse(limit.setting, getattr(settings, limit.setting)) for name, limit in LIMITS.items()}
    limiter = Limiter(
        key_func=lambda: client_network(request),
        strategy="moving-window",
        storage_uri=f"{SCHEME}://",
        storage_options={"shared_url": settings.redis_url},
        enabled=settings.ratelimit_enabled,
    )
    # Named here before init_app(), it leaves out its own hooks, which look for decorators and blueprints on every
    # request and take as long as a small answer does. Our limits are hit by name.
    app.extensions["limiter"] = {limiter}
    limiter.init_app(app)
    app.extensions["oidc_rate_limits"] = RateLimits(limiter, items if settings.ratelimit_enabled else {})
    app.before_request(_count_request)
    app.register_error_handler(RateLimited, _answer)


def hit(name: str, *identifiers: str) -> None:
    """Count one request against the limit `name` of these identifiers. Raises RateLimited, answered with 429."""
    if name not in LIMITS:
        raise KeyError(name)
    _current().hit(name, identifiers)


def _current() -> RateLimits:
    return cast(RateLimits, here.app().extensions["oidc_rate_limits"])


def _count_request() -> None:
    sent = here.request()
    if sent.endpoint not in _EXEMPT_ENDPOINTS and sent.path not in _EXEMPT_PATHS:
        hit("default", client_network(sent))


def _answer(error: RateLimited) -> Response:
    _tell(error.name)
    return errors.answer(
        "too_many_requests",
        "too_many_requests",
        "There were too many requests; wait for the seconds that Retry-After names.",
        429,
        {"Retry-After": str(error.retry_after)},
    )


def _tell(name: str) -> None:
    told = _current().told
    key = (name, client_network(request))
    if told.get(key, -math.inf) <= now() - _TELL_EVERY:
        told[key] = now()
        told.move_to_end(key)
        audit.record(audit.RATE_LIMITED, limit=name, path=request.path)
    while len(told) > _MAX_TOLD:
        told.popitem(last=False)


def _key(name: str, *identifiers: str) -> str:
    # Hashed, so that no two lists of identifiers meet in one key and nobody's name lies in the shared store.
    return hashlib.sha256(json.dumps([name, *identifiers]).encode()).hexdigest()[:32]


def _seconds_until(reset_at: float, item: RateLimitItem) -> int:
    return min(max(1, math.ceil(reset_at - now())), item.get_expiry())


def _parse(setting: str, text: str) -> list[RateLimitItem]:
    if not text:
        return []
    try:
        # The shortest window first: what it refuses does not count against the longer ones.
        return sorted(parse_many(text))
    except ValueError as error:
        raise SettingsError(f"OIDC_{setting.upper()} is no rate; write it as 5/minute, or 5/minute;100/day.") from error
