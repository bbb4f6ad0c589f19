"""A database that is busy for as long as a test wants: what a slow or stuck writer does to everybody else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from .site import Site


class Held:
    """What waits while the lock is held; `wait_for(n)` returns once n requests stand before it."""

    def __init__(self, looker: psycopg.Connection | None) -> None:
        self.looker = looker

    def wait_for(self, waiting: int) -> None:
        if self.looker is None:
            time.sleep(0.5)  # SQLite does not tell who waits
            return
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            row = self.looker.execute(query).fetchone()
            if row and row[0] >= waiting:
                return
            time.sleep(0.01)
        raise AssertionError(f"fewer than {waiting} requests wait for the lock")


@contextmanager
def held(site: Site, table: str) -> Iterator[Held]:
    """Let nobody write to this table (SQLite: to any), and everybody read."""
    if site.kind == "sqlite":
        with closing(sqlite3.connect(site.folder / "oidc.sqlite3", isolation_level=None)) as writer:
            writer.execute("begin immediate")
            yield Held(None)
            writer.execute("rollback")
        return
    url = site.direct_url
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as looker:
        writer.execute(f"lock table {table} in exclusive mode")
        yield Held(looker)
        writer.rollback()
