"""The database: engine, session, base class, the one notion of now, and the write transaction.

SQLite (the default) and PostgreSQL run the same statements. Times are seconds since the epoch as floats.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, registry

from . import drivers, one_connection
from .database_errors import Overtaken, Unavailable, is_outage, may_help_to_retry, misses_its_owner
from .drivers import Row
from .one_connection import Database, OneConnectionSession, Work
from .statements import Statement, from_json, to_json

if TYPE_CHECKING:
    from .settings import Settings

__all__ = [
    "Base",
    "Overtaken",
    "Unavailable",
    "db",
    "execute",
    "init_app",
    "is_outage",
    "is_writing",
    "let_go",
    "now",
    "sqlite_file",
    "transact",
]

T = TypeVar("T")

_TRIES = 4
# Seconds for which nobody waits again after waiting for the database was in vain.
_DISCOURAGED = 1.0
# Seconds within which a connection shows that the database has ended it; one that takes longer belongs to a database that stands still.
_SHOWS_WITHIN = 0.25

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


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": OneConnectionSession, "expire_on_commit": False},
)


def now() -> float:
    """Seconds since the epoch, UTC: the only clock that decides about tokens, sessions and keys."""
    return clock()


def execute(statement: Statement, **values: Any) -> Row | None:
    """Run a statement; its first row, if it gives one. A read may be by itself, what writes is within transact(), else RuntimeError."""
    rows = execute_all(statement, values)
    return rows[0] if rows else None


def execute_all(statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """Run a statement as execute() does; every row that it gives."""
    if is_writing():
        return statement.run(_connection(), values)
    if statement.writes:
        raise RuntimeError("Outside of transact() this would be committed at once.")
    return _again_when_lost(lambda: statement.run(_connection(), values))


def _again_when_lost(ask: Callable[[], T]) -> T:
    """Ask, and once more when the connection was lost while it lay in its pool, which shows at once; nothing was done over it yet."""
    began = time.monotonic()
    try:
        return ask()
    except DBAPIError as error:
        if not error.connection_invalidated or time.monotonic() > began + _SHOWS_WITHIN:
            raise
        return ask()


def let_go() -> None:
    """Give the connection back before something that takes long; who goes on gets another. Not within transact()."""
    if db.session.registry.has() and db.session().in_transaction():
        db.session.rollback()
    one_connection.current().disconnect()


def _connection() -> Connection:
    connection = one_connection.current().connect()
    if drivers.is_heard(connection):  # through SQLAlchemy, which must know of the transaction for that
        db.session.connection()
    return connection


def is_writing() -> bool:
    """Whether this is within transact()."""
    return one_connection.current().is_writing


def transact(work: Callable[[], T], *, lasting: bool = True) -> T:
    """Run `work` in one write transaction and commit it once; inside another transact(), join that one.

    Serialization failures, deadlocks and a busy SQLite file run the whole of `work` again, with jitter, so it must
    have no effect outside the database. Raises Unavailable when that does not help, or took `database_timeout`, and Overtaken.
    With `lasting=False` nobody waits for the disk (250 µs): losing power may undo the work with all that came after it, and
    nothing before it.
    """
    mine = one_connection.current()
    if mine.is_writing:
        return work()
    started = time.monotonic()
    if started < mine.discouraged_until:
        raise Unavailable
    deadline = started + mine.database.timeout
    for attempt in range(1, _TRIES + 1):
        mine.is_writing = True
        try:
            return _attempt(mine, work, deadline, lasting)
        except Unavailable:
            mine.discouraged_until = time.monotonic() + _DISCOURAGED
            raise
        except BaseException as error:
            if misses_its_owner(error):
                raise Overtaken from error
            if not may_help_to_retry(error):
                raise
            waited = time.monotonic()
            if attempt == _TRIES or waited >= deadline:
                mine.discouraged_until = waited + _DISCOURAGED
                raise Unavailable from error
            time.sleep(random.uniform(0.005, 0.03) * attempt)  # noqa: S311 - jitter, not a secret
        finally:
            mine.is_writing = False
    raise AssertionError("unreachable")


def _attempt(mine: Work, work: Callable[[], T], deadline: float, lasting: bool) -> T:
    # SQLite has one writer. Who waits for its file sleeps for longer and longer; who waits for this lock is woken at once.
    turn = mine.database.turn
    if turn is not None and not turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Unavailable
    try:
        connection = _connection()
        # Ends what earlier reads began: SQLite cannot turn a reader whose snapshot is old into a writer. Said to the
        # driver alone, because a session that commits and begins anew takes 45 µs.
        drivers.commit(connection)
        # Who has waited for the turn waits for other processes no longer than is left.
        _again_when_lost(lambda: drivers.begin_writing(connection, deadline - time.monotonic(), lasting))
        mine.has_begun = True
        result = work()
        if db.session.registry.has():
            db.session.commit()
        drivers.commit(mine.connect())
        return result
    except BaseException:
        if db.session.registry.has():
            db.session.rollback()
        if mine.connection is not None:
            drivers.rollback(mine.connection)
        raise
    finally:
        mine.has_begun = False
        if turn is not None:
            turn.release()


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the database of the settings to an app; nothing is opened before the first query."""
    url = make_url(settings.database_url)
    if (file := sqlite_file(settings)) is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        url = url.set(database=str(file))
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Neither errors nor the log of statements show values: a password typed into the field of the name is one.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **drivers.options(url, settings.database_timeout, settings.database_pool_size),
        "hide_parameters": True,
        "json_serializer": to_json,
        "json_deserializer": from_json,
    }
    one_connection.disconnect_at_the_end(app)
    db.init_app(app)
    with app.app_context():
        drivers.prepare(db.engine, settings.database_timeout)
        turn = threading.Lock() if db.engine.dialect.name == "sqlite" else None
        one_connection.mount(app, Database(db.engine, settings.database_timeout, turn))


def sqlite_file(settings: Settings) -> Path | None:
    """The SQLite file of these settings, or None for another database."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return settings.instance_path / url.database
