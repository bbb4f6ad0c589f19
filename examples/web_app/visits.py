"""Who is signed in at this app: kept here, found by a random value in a cookie. Tokens never reach the browser."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

LIMIT = 1000


@dataclass
class Visit:
    """One signed-in browser. `api_token_until` is in epoch seconds."""

    person: dict[str, Any]
    id_token: str
    refresh_token: str
    scope: str
    api_token: str = ""
    api_scope: str = ""
    api_token_until: float = 0.0
    refreshed: int = 0
    #: A refresh token works once: two requests of one person must not spend it at the same time.
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def needs_token(self) -> bool:
        return time.time() > self.api_token_until - 10


class Visits:
    """In memory, so they end with the process; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}

    def begin(self, visit: Visit) -> str:
        """Keep a visit; returns the random value that finds it again."""
        while len(self._visits) >= LIMIT:
            self._visits.pop(next(iter(self._visits)), None)
        name = secrets.token_urlsafe(32)
        self._visits[name] = visit
        return name

    def find(self, name: str) -> Visit | None:
        return self._visits.get(name)

    def end(self, name: str) -> Visit | None:
        return self._visits.pop(name, None)
