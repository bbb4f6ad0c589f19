"""The database: engine, session, base class, the one notion of now, and the write transaction.

SQLite (the default) and PostgreSQL run the same statements. Times are seconds since the epoch as floats.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, registry

if TYPE_CHECKING:
    from .settings import Settings

T = TypeVar("T")

# Serialization failure, deadlock, lock not available (PostgreSQL, appendix A of its manual).
_RETRIED_SQLSTATES = frozenset({"40001", "40P01", "55P03"})
_TRIES = 4
# Seconds for which nobody waits again after waiting for the database was in vain.
_DISCOURAGED = 1.0
# Seconds that a connection from the pool has to show that it still works.
_PING = 1.0

#: The clock behind now(); tests put another one here to travel in time.
clock: Callable[[], float] = time.time


# Named constraints, so that migrations can alter them on both databases.
_METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """Base of every table: floats are doubles, dictionaries and lists of texts are JSON."""

    registry = registry(
        metadata=_METADATA,
        type_annotation_map={float: sa.Double(), dict[str, Any]: sa.JSON(), list[str]: sa.JSON()},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


class Unavailable(Exception):
    """The database did not answer in time or kept refusing; the caller may try again (503, Retry-After)."""


def now() -> float:
    """Seconds since the epoch, UTC: the only clock that decides about tokens, sessions and keys."""
    return clock()


def execute(statement: sa.Executable, **values: Any) -> sa.CursorResult[Any]:
    """Run a Core statement that was built once, in the transaction of this request; the values are its bound parameters.

    A statement built anew for each request took longer to build than to run.
    """
    return db.session.connection().execute(statement, values)


def transact(work: Callable[[], T]) -> T:
    """Run `work` in one write transaction and commit it once; inside another transact(), join that one.

    Serialization failures, deadlocks and a busy SQLite file run the whole of `work` again, with jitter, so it must
    have no effect outside the database. Raises Unavailable when that does not help, or took `database_timeout`.
    """
    session = db.session()
    if session.info.get("writing"):
        return work()
    started = time.monotonic()
    if started < session.info.get("discouraged_until", 0.0):
        raise Unavailable
    for attempt in range(1, _TRIES + 1):
        # Ends the snapshot of earlier reads: SQLite cannot turn a reader whose snapshot is old into a writer.
        session.commit()
        session.info["writing"] = True
        try:
            session.connection(execution_options={"oidc_writing": True})
            result = work()
            session.commit()
            return result
        except BaseException as error:
            session.rollback()
            if not _may_help_to_retry(error):
                raise
            waited = time.monotonic()
            if attempt == _TRIES or waited - started >= current_app.config["DATABASE_TIMEOUT"]:
                session.info["discouraged_until"] = waited + _DISCOURAGED
                raise Unavailable from error
            time.sleep(random.uniform(0.005, 0.03) * attempt)  # noqa: S311 - jitter, not a secret
        finally:
            session.info["writing"] = False
    raise AssertionError("unreachable")


def _may_help_to_retry(error: BaseException) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in _RETRIED_SQLSTATES


def is_outage(error: BaseException) -> bool:
    """Whether an exception means that the database is away, so that the honest answer is 503 and not 500."""
    return isinstance(error, (Unavailable, PoolTimeout, OperationalError)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the database of the settings to an app; nothing is opened before the first query."""
    url = make_url(settings.database_url)
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": settings.database_timeout}
        if url.database and url.database != ":memory:":
            path = settings.instance_path / url.database
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            url = url.set(database=str(path))
    else:
        milliseconds = int(settings.database_timeout * 1000)
        options = {
            "pool_size": settings.database_pool_size,
            "max_overflow": 2,
            "pool_timeout": settings.database_timeout,
            "pool_pre_ping": True,
            "pool_use_lifo": True,
            "connect_args": {
                "connect_timeout": max(1, int(settings.database_timeout)),
                "options": f"-c lock_timeout={milliseconds} -c statement_timeout={milliseconds + 250}",
            },
        }
    app.config["DATABASE_TIMEOUT"] = settings.database_timeout
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Neither errors nor the log of statements show values: a password typed into the field of the name is one.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | {"hide_parameters": True}
    db.init_app(app)
    with app.app_context():
        if url.get_backend_name() == "sqlite":
            event.listen(db.engine, "connect", _prepare_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)
        else:
            _wait_with_limits(db.engine, settings.database_timeout)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves, below
    # synchronous=FULL: a spent code or token must still be spent after a power loss.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: a deferred transaction that turns writer late deadlocks with its equals.
    writing = connection.get_execution_options().get("oidc_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _wait_with_limits(engine: sa.Engine, timeout: float) -> None:
    """Have PostgreSQL connections wait for an answer no longer than a lock may take there, and a little.

    The timeouts that PostgreSQL keeps itself are of no use while it stands still or the network swallows what it says.
    """
    import psycopg

    class Connection(psycopg.Connection[Any]):
        patience: float | None = timeout + 0.5

        def wait(self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None) -> T:
            try:
                return super().wait(gen, interval, self.patience if timeout is None else timeout)
            except psycopg.errors._WaitTimeout as error:
                self.pgconn.finish()  # what it would still say belongs to a question that nobody asks any more
                raise psycopg.OperationalError("no answer from the database") from error

    probing = threading.Lock()
    away_until = 0.0

    def connect(_dialect: object, _record: object, args: Any, options: Any) -> Connection:
        nonlocal away_until
        was_away = away_until > 0
        # While the database is away one request a second waits for it. Were it all, nobody would be told for a long time.
        if was_away and (time.monotonic() < away_until or not probing.acquire(blocking=False)):
            raise psycopg.OperationalError("the database was away a moment ago")
        try:
            made = Connection.connect(*args, **options)
            away_until = 0.0
            return made
        except psycopg.OperationalError:
            away_until = time.monotonic() + _DISCOURAGED
            raise
        finally:
            if was_away:
                probing.release()

    ping = engine.dialect.do_ping

    def ping_with_limit(connection: Any) -> bool:
        connection.patience = _PING
        try:
            return ping(connection)
        finally:
            connection.patience = Connection.patience

    event.listen(engine, "do_connect", connect)
    setattr(engine.dialect, "do_ping", ping_with_limit)  # noqa: B010 - to a type checker it is a method


def sqlite_file(settings: Settings) -> Path | None:
    """The SQLite file of these settings, or None for another database."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return settings.instance_path / url.database
