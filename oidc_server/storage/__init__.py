"""Short-lived, single-use values: codes, parked requests, the jti of assertions. Put, read, take, each typed by its kind.

A kind keeps the secrets of one feature out of reach of every other: a code is never accepted as something else. Keys are hashed before
they are stored, so a copy of the database redeems nothing. One contract test suite runs over every backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..server import AuthorizationServer
from .memory import MemoryStorage
from .sql import SqlStorage


class Storage(Protocol):
    """The contract. `expires_at` is seconds since the epoch; an expired value is as good as gone."""

    def put(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> None:
        """Store a value, replacing the one of the same kind and key."""

    def put_once(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> bool:
        """Store a value unless a live one is there; of simultaneous callers exactly one is told True."""

    def read(self, kind: str, key: str) -> dict[str, Any] | None:
        """The value, left where it is."""

    def take(self, kind: str, key: str) -> dict[str, Any] | None:
        """The value, removed; of simultaneous callers exactly one gets it."""

    def purge(self, limit: int) -> int:
        """Delete up to `limit` expired values; answer how many."""


BACKENDS: dict[str, Callable[[], Storage]] = {"sql": SqlStorage, "memory": MemoryStorage}


def mount(server: AuthorizationServer) -> None:
    """Give the server its storage: the database, because what must happen once needs a unique row (never a cache)."""
    server.storage = BACKENDS["sql"]()
