"""The SQL that requests take: what was read, what was written, and the commits that made something durable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_READS = ("SELECT", "VALUES")
_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "TRUNCATE")


@dataclass
class Statements:
    """What one thread sent to a database, in order; `parameters` are the first ones of each statement."""

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    #: Commits of transactions that wrote. The end of one that only read costs no disk, and is none.
    commits: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{len(self.reads)} reads, {len(self.writes)} writes, {self.commits} commits"]
        return "\n".join([*lines, *self.reads, *self.writes])


@contextmanager
def recorded(engine: sa.Engine) -> Iterator[Statements]:
    """Record what this thread does with the database; jobs in the background are nobody's request."""
    seen, mine = Statements(), threading.get_ident()
    has_written: set[Connection] = set()

    def sent(connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        verb = statement.split(None, 1)[0].upper()
        if threading.get_ident() != mine or verb not in _READS + _WRITES:
            return
        (seen.reads if verb in _READS else seen.writes).append(statement)
        seen.parameters.setdefault(statement, parameters[0] if many else parameters)
        if verb in _WRITES:
            has_written.add(connection)

    def ended(connection: Connection) -> None:
        has_written.discard(connection)

    def committed(connection: Connection) -> None:
        seen.commits += connection in has_written
        has_written.discard(connection)

    listeners = (("before_cursor_execute", sent), ("rollback", ended), ("commit", committed))
    for name, listener in listeners:
        sa.event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners:
            sa.event.remove(engine, name, listener)
