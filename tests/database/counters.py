"""Two counters in a table of their own, for transactions that meet there; the fixture `counted` makes them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from oidc_server.database import db

#: The database_timeout of `counted`, seconds.
TIMEOUT = 0.5


def add(amount: int = 1, name: str = "one") -> None:
    db.session.execute(
        sa.text("update counters set value = value + :n where name = :name"), {"n": amount, "name": name}
    )


def value(name: str = "one") -> int:
    """What anybody else sees."""
    with db.engine.connect() as other:
        return int(other.scalar(sa.text("select value from counters where name = :name"), {"name": name}))


def in_a_thread(app: Flask, work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        with app.app_context():
            work()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def read() -> int:
    """What this transaction sees."""
    return int(db.session.scalar(sa.text("select value from counters where name = 'one'")) or 0)
