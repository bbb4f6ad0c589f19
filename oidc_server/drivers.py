"""Below SQLAlchemy: what is said to the drivers of SQLite and PostgreSQL themselves, because it is said often or nobody else does.

What goes wrong is raised as SQLAlchemy raises it, so that transact() and errors.py know it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.characteristics import ConnectionCharacteristic
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Row = tuple[Any, ...]

#: A writer takes its lock at once: a deferred transaction of SQLite that turns writer late deadlocks with its equals.
BEGIN_WRITING = "BEGIN IMMEDIATE"
# Seconds for which only one request a second asks a PostgreSQL that was away.
_AWAY = 1.0
# Seconds that a connection from the pool has to show that it still works.
_PING = 1.0


def run(connection: Connection, sql: str, parameters: Row | dict[str, Any] = ()) -> Sequence[Row]:
    """Run the SQL of this very database and fetch all it gives; what goes wrong is raised as SQLAlchemy raises it."""
    heard = connection.engine.dispatch
    if heard.before_cursor_execute or heard.after_cursor_execute:  # tests and tracers hear of every statement
        result = connection.exec_driver_sql(sql, parameters)
        return [tuple(row) for row in result] if result.returns_rows else ()
    cursor = None
    try:
        cursor = connection.connection.cursor()
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else ()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, connection, sql) from error
    finally:
        if cursor is not None:
            cursor.close()


def commit(connection: Connection) -> None:
    """End what the driver has open, and keep the connection for what follows."""
    try:
        connection.connection.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, connection, "COMMIT") from error


def wait_at_most(connection: Connection, seconds: float) -> None:
    """Have SQLite give up after this time when another process writes. 3 µs."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout = {max(1, round(seconds * 1000))}")


def _as_sqlalchemy(error: Exception, connection: Connection, sql: str) -> BaseException:
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )


class SQLite(sqlite3.Connection):
    """A connection to the file; `is_writing` is the execution option `oidc_writing` of SQLAlchemy's connection."""

    is_writing = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.isolation_level = None  # begin_as_asked() says BEGIN
        # synchronous=FULL: a spent code or token must still be spent after a power loss.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.execute(f"PRAGMA {pragma}")


class _Writing(ConnectionCharacteristic):
    """`execution_options(oidc_writing=True)`, for as long as the connection is not back in its pool."""

    def set_characteristic(self, dialect: Any, dbapi_conn: Any, value: bool) -> None:
        dbapi_conn.is_writing = value

    def get_characteristic(self, dialect: Any, dbapi_conn: Any) -> bool:
        return bool(dbapi_conn.is_writing)

    def reset_characteristic(self, dialect: Any, dbapi_conn: Any) -> None:
        dbapi_conn.is_writing = False


def begin_as_asked(engine: sa.Engine) -> None:
    """Have transactions of SQLite begin when SQLAlchemy says so, and as writers where the option asks for it.

    In the dialect, because with a listener for `begin` every connection prepares for every event: 15 µs.
    """

    def begin(connection: Any) -> None:
        driver = connection.dbapi_connection
        driver.execute(BEGIN_WRITING if driver.is_writing else "BEGIN")

    dialect: Any = engine.dialect
    dialect.connection_characteristics = {**dialect.connection_characteristics, "oidc_writing": _Writing()}
    dialect.do_begin = begin


def wait_with_limits(engine: sa.Engine, timeout: float) -> None:
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
            away_until = time.monotonic() + _AWAY
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
