"""Below SQLAlchemy: what is said to the drivers of SQLite and PostgreSQL themselves, because it is said often or nobody else does.

What goes wrong is raised as SQLAlchemy raises it, so that transact() and errors.py know it.
"""

from __future__ import annotations

import math
import select
import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.characteristics import ConnectionCharacteristic
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Row = tuple[Any, ...]

# A writer takes its lock at once: a deferred transaction of SQLite that turns writer late deadlocks with its equals.
_BEGIN_WRITING = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
# One that need not outlive a power failure: its commit waits for no disk. Both databases write their logs in order, so what
# followed it cannot be there without it.
_BEGIN_LOOSELY = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN; SET LOCAL synchronous_commit TO off"}
# Seconds for which only one request a second asks a PostgreSQL that was away.
_AWAY = 1.0
# Seconds that a connection from the pool has to show that it still works, and for which it need not show it again.
_PING = 1.0


def options(url: sa.URL, timeout: float, pool_size: int) -> dict[str, Any]:
    """What create_engine() is told about this kind of database."""
    if url.get_backend_name() == "sqlite":
        # The connection used last has the pages and the statements of the others' requests at hand.
        return {"pool_use_lifo": True, "connect_args": {"timeout": timeout, "factory": SQLite}}
    milliseconds = int(timeout * 1000)
    return {
        "pool_size": pool_size,
        "max_overflow": 2,
        "pool_timeout": timeout,
        "pool_pre_ping": True,
        "pool_use_lifo": True,
        "connect_args": {
            # Otherwise each read would be three round trips: BEGIN, the read, ROLLBACK.
            "autocommit": True,
            "connect_timeout": max(1, int(timeout)),
            "options": f"-c lock_timeout={milliseconds} -c statement_timeout={milliseconds + 250}",
        },
    }


def prepare(engine: sa.Engine, timeout: float) -> None:
    """Have transactions begin as asked, reads outside of one be by themselves, and nobody wait for longer than `timeout` seconds."""
    if engine.dialect.name == "sqlite":
        _begin_as_asked(engine)
    else:
        _wait_with_limits(engine, timeout)


def is_heard(connection: Connection) -> bool:
    """Whether somebody listens to each statement: a test, or a tracer."""
    heard = connection.engine.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


def run(connection: Connection, sql: str, parameters: Row | dict[str, Any] = ()) -> Sequence[Row]:
    """Run the SQL of this very database and fetch all it gives; what goes wrong is raised as SQLAlchemy raises it."""
    if is_heard(connection):
        result = connection.exec_driver_sql(sql, parameters)
        return [tuple(row) for row in result] if result.returns_rows else ()
    driver: Any = connection.connection.dbapi_connection
    try:
        cursor = driver.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else ()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, connection, sql) from error


def begin_writing(connection: Connection, seconds: float, lasting: bool = True) -> None:
    """Begin a transaction that may write; while another process writes, SQLite gives up after this time."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        driver = cast(SQLite, connection.connection.dbapi_connection)
        driver.wait_at_most(seconds)
        driver.wait_for_disk(lasting)
    run(connection, (_BEGIN_WRITING if lasting else _BEGIN_LOOSELY)[dialect])


def commit(connection: Connection) -> None:
    """End what the driver has open, and keep the connection for what follows."""
    try:
        connection.connection.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, connection, "COMMIT") from error


def rollback(connection: Connection) -> None:
    """Undo what the driver has open, if it still can; a connection that is lost has undone it."""
    if not connection.invalidated:
        with suppress(connection.dialect.loaded_dbapi.Error):
            connection.connection.rollback()


def _has_news(connection: Any) -> bool:
    """Whether something lies there to be read from a connection that was asked nothing: most likely its end. 2 µs, no round trip."""
    news = select.poll()
    news.register(connection.fileno(), select.POLLIN)
    return bool(news.poll(0))


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
    _waits_for_disk = True
    _waits_for_others = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.isolation_level = None  # begin_as_asked() says BEGIN
        # synchronous=FULL: a spent code or token must still be spent after a power loss.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.execute(f"PRAGMA {pragma}")

    def wait_at_most(self, seconds: float) -> None:
        """Give up after this time, counted in tenths of a second, when another process writes."""
        tenths = max(1, math.ceil(seconds * 10))
        if tenths != self._waits_for_others:
            self.execute(f"PRAGMA busy_timeout = {tenths * 100}")
            self._waits_for_others = tenths

    def wait_for_disk(self, wanted: bool) -> None:
        """Whether the next commit waits until it is on the disk."""
        if wanted != self._waits_for_disk:
            self.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._waits_for_disk = wanted


class _Writing(ConnectionCharacteristic):
    """`execution_options(oidc_writing=True)`, for as long as the connection is not back in its pool."""

    def set_characteristic(self, dialect: Any, dbapi_conn: Any, value: bool) -> None:
        dbapi_conn.is_writing = value

    def get_characteristic(self, dialect: Any, dbapi_conn: Any) -> bool:
        return bool(dbapi_conn.is_writing)

    def reset_characteristic(self, dialect: Any, dbapi_conn: Any) -> None:
        dbapi_conn.is_writing = False


def _begin_as_asked(engine: sa.Engine) -> None:
    """Have transactions of SQLite begin when SQLAlchemy says so, and as writers where the option asks for it.

    In the dialect, because with a listener for `begin` every connection prepares for every event: 15 µs.
    """

    def begin(connection: Any) -> None:
        driver = connection.dbapi_connection
        if not driver.in_transaction:  # the ORM joins the transaction of transact()
            driver.wait_for_disk(True)
            driver.execute(_BEGIN_WRITING["sqlite"] if driver.is_writing else "BEGIN")

    dialect: Any = engine.dialect
    dialect.connection_characteristics = {**dialect.connection_characteristics, "oidc_writing": _Writing()}
    dialect.do_begin = begin


def _wait_with_limits(engine: sa.Engine, timeout: float) -> None:
    """Have PostgreSQL connections begin as asked, and wait for an answer no longer than a lock may take there, and a little.

    The timeouts that PostgreSQL keeps itself are of no use while it stands still or the network swallows what it says.
    """
    import psycopg

    class Connection(psycopg.Connection[Any]):
        patience: float | None = timeout + 0.5
        answered_at = 0.0

        def wait(self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None) -> T:
            try:
                answer = super().wait(gen, interval, self.patience if timeout is None else timeout)
                self.answered_at = time.monotonic()
                return answer
            except psycopg.errors._WaitTimeout as error:
                self.pgconn.finish()  # what it would still say belongs to a question that nobody asks any more
                raise psycopg.OperationalError("no answer from the database") from error

    probing = threading.Lock()
    away_until = 0.0

    def connect(_dialect: object, _record: object, args: Any, kwargs: Any) -> Connection:
        nonlocal away_until
        was_away = away_until > 0
        # While the database is away one request a second waits for it. Were it all, nobody would be told for a long time.
        if was_away and (time.monotonic() < away_until or not probing.acquire(blocking=False)):
            raise psycopg.OperationalError("the database was away a moment ago")
        try:
            made = Connection.connect(*args, **kwargs)
            away_until = 0.0
            return made
        except psycopg.OperationalError:
            away_until = time.monotonic() + _AWAY
            raise
        finally:
            if was_away:
                probing.release()

    ping = engine.dialect.do_ping

    def begin(connection: Any) -> None:
        driver = connection.dbapi_connection
        if driver.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            driver.execute("BEGIN")

    def ping_with_limit(connection: Any) -> bool:
        if time.monotonic() < connection.answered_at + _PING and not _has_news(connection):
            return True
        connection.patience = _PING
        try:
            return ping(connection)
        finally:
            connection.patience = Connection.patience

    event.listen(engine, "do_connect", connect)
    dialect: Any = engine.dialect
    dialect.do_ping = ping_with_limit
    dialect.do_begin = begin
