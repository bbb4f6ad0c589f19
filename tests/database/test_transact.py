"""transact(): one transaction, committed once or not at all, tried again when that may help."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.database import Unavailable, db, transact

from .counters import add, in_a_thread, read, value


def test_what_work_answers_is_answered_and_what_it_wrote_is_there_for_everybody(counted: Flask) -> None:
    def work() -> str:
        add()
        return "done"

    assert transact(work) == "done"
    assert value() == 1


def test_nobody_sees_what_was_written_before_all_of_it_is_there(counted: Flask) -> None:
    def work() -> None:
        add()
        assert value() == 0
        add()

    transact(work)
    assert value() == 2


def test_an_error_undoes_everything_and_reaches_the_caller(counted: Flask) -> None:
    def work() -> None:
        add()
        raise LookupError("no")

    with pytest.raises(LookupError):
        transact(work)
    assert value() == 0
    transact(add)
    assert value() == 1, "the next one starts afresh"


def test_a_transaction_within_another_joins_it(counted: Flask) -> None:
    def inner() -> int:
        add()
        return value()

    def outer() -> int:
        seen = transact(inner)
        assert seen == 0, "the inner one did not commit"
        add()
        return seen

    assert transact(outer) == 0
    assert value() == 2


def test_an_error_after_an_inner_transaction_undoes_that_too(counted: Flask) -> None:
    def outer() -> None:
        transact(add)
        raise LookupError("no")

    with pytest.raises(LookupError):
        transact(outer)
    assert value() == 0


def test_an_inner_transaction_is_not_tried_again_by_itself(counted: Flask) -> None:
    calls: list[str] = []

    def inner() -> None:
        calls.append("inner")
        add()
        if len(calls) < 3:
            raise busy()

    def outer() -> None:
        calls.append("outer")
        transact(inner)

    transact(outer)
    assert calls == ["outer", "inner", "outer", "inner"], "the whole of the outer one was tried again"
    assert value() == 1


def test_a_breach_of_a_constraint_is_not_tried_again(counted: Flask) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        db.session.execute(sa.text("insert into counters values ('one', 5)"))

    with pytest.raises(sa.exc.IntegrityError):
        transact(work)
    assert calls == [1]


def test_work_that_keeps_failing_is_given_up_after_four_tries(counted: Flask) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise busy()

    with pytest.raises(Unavailable):
        transact(work)
    assert len(calls) == 4


def test_a_session_that_read_before_can_write_although_others_wrote_since(counted: Flask) -> None:
    """SQLite refuses to turn an old reader into a writer, and says so at once (SQLITE_BUSY_SNAPSHOT)."""
    assert read() == 0
    in_a_thread(counted, lambda: transact(add)).join()
    transact(add)
    assert value() == 2


def busy() -> sa.exc.OperationalError:
    """The error of a database that is busy, as SQLAlchemy hands it on."""
    if db.engine.dialect.name == "postgresql":
        return sa.exc.OperationalError("update", {}, psycopg.errors.SerializationFailure("injected"))
    original = sqlite3.OperationalError("database is locked")
    original.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return sa.exc.OperationalError("update", {}, original)
