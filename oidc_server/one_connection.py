"""What one request does with the database: all of it over one connection, of which the ORM's session is but one user.

A session for each request took 160 µs, which those that never ask the ORM need not spend.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask, g
from flask_sqlalchemy.session import Session
from sqlalchemy.engine import Connection

from . import here
from .database_errors import Unavailable


@dataclass(frozen=True)
class Database:
    """The database of one app. Waiting for it ends after `timeout` seconds; `turn` is held by the one thread that writes, where one can."""

    engine: sa.Engine
    timeout: float
    turn: threading.Lock | None


@dataclass
class Work:
    """The work of one request, or of whatever else has an application context."""

    database: Database
    connection: Connection | None = None
    #: Within transact(), and whether its transaction has begun on the connection.
    is_writing: bool = False
    has_begun: bool = False
    #: Until then (time.monotonic()) nobody waits again, because waiting was in vain.
    discouraged_until: float = 0.0

    def connect(self) -> Connection:
        """The connection. Raises Unavailable when it was lost in the middle of a transaction, whose rest would go on without one."""
        if self.connection is None:
            self.connection = self.database.engine.connect()
        elif self.has_begun and self.connection.invalidated:
            raise Unavailable
        return self.connection

    def disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class OneConnectionSession(Session):
    """Flask-SQLAlchemy's session, on that connection, which it gives back when it is closed."""

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        return current().connect()

    def close(self) -> None:
        super().close()
        current().disconnect()


def mount(app: Flask, database: Database) -> None:
    app.extensions["oidc_database"] = database


def disconnect_at_the_end(app: Flask) -> None:
    """Give back the connection when a request ends. Called before the ORM is mounted, so that it comes after its session."""
    app.teardown_appcontext(lambda _error: current().disconnect() if "database" in g else None)


def current() -> Work:
    """The work of this application context."""
    facts = here.g()
    found: Work | None = facts.get("database")
    if found is None:
        found = facts.database = Work(cast(Database, here.app().extensions["oidc_database"]))
    return found
