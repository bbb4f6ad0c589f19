"""What was read a moment ago: rows that every request needs and operators seldom change, kept by each process for a second.

The process that changes one forgets it at once; the others find out within SECONDS, as they do of changed keys.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import here

V = TypeVar("V")

SECONDS = 1.0
_MOST = 10_000


class Remembered(Generic[V]):
    """The rows of one kind by their identifier, None included; they belong to no session, so only read them."""

    def __init__(self, kind: str) -> None:
        self._name = f"remembered_{kind}"

    def get(self, key: str, read: Callable[[str], V]) -> V:
        """The row as it was at most SECONDS ago, else as `read` finds it now."""
        rows = self._rows()
        known = rows.get(key)
        at = monotonic()
        if known is not None and at < known[1]:
            return known[0]
        found = read(key)
        if len(rows) >= _MOST:
            rows.clear()
        rows[key] = (found, at + SECONDS)
        return found

    def forget(self) -> None:
        """Forget all of them in this process: one was changed."""
        self._rows().clear()

    def _rows(self) -> dict[str, tuple[V, float]]:
        rows: dict[str, tuple[V, float]] = here.app().extensions.setdefault(self._name, {})
        return rows


def detached(session: Session, row: Any) -> Any:
    """The row taken out of its session with all that was loaded, so that threads may share it."""
    if row is not None and sa.inspect(row).persistent:
        session.expunge(row)
    return row
