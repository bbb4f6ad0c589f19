"""Short-lived values in the memory of one process, for tests of features that need no database."""

from __future__ import annotations

import threading
from typing import Any

from ..database import now


class MemoryStorage:
    """The contract of storage.Storage over a dict and a lock."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[dict[str, Any], float]] = {}
        self._lock = threading.Lock()

    def put(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> None:
        with self._lock:
            self._values[kind, key] = (value, expires_at)

    def put_once(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> bool:
        with self._lock:
            if self._live(kind, key) is not None:
                return False
            self._values[kind, key] = (value, expires_at)
            return True

    def read(self, kind: str, key: str) -> dict[str, Any] | None:
        with self._lock:
            return self._live(kind, key)

    def take(self, kind: str, key: str) -> dict[str, Any] | None:
        with self._lock:
            value = self._live(kind, key)
            self._values.pop((kind, key), None)
            return value

    def purge(self, limit: int) -> int:
        with self._lock:
            expired = [at for at, (_, expires_at) in self._values.items() if expires_at <= now()][:limit]
            for at in expired:
                del self._values[at]
            return len(expired)

    def _live(self, kind: str, key: str) -> dict[str, Any] | None:
        value, expires_at = self._values.get((kind, key), ({}, 0.0))
        return value if expires_at > now() else None
