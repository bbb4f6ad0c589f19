"""transact() when several write at once: locks that stay or go, deadlocks, serialization failures, outages."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import database
from oidc_server.database import Unavailable, db, transact

from .counters import TIMEOUT, add, in_a_thread, read, value

WRITERS = 5

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.row("FT-11", "FT-27")
def test_a_lock_that_is_released_in_time_is_waited_for(counted: Flask) -> None:
    taken, enough = threading.Event(), threading.Event()

    def hold() -> None:
        add()
        taken.set()
        enough.wait(5)

    holder = in_a_thread(counted, lambda: transact(hold))
    assert taken.wait(5)
    threading.Timer(TIMEOUT / 3, enough.set).start()
    transact(add)
    holder.join()
    assert value() == 2


@pytest.mark.row("FT-11", "FT-27")
def test_a_lock_that_is_not_released_is_given_up_within_the_timeout_and_not_waited_for_twice(counted: Flask) -> None:
    taken, enough = threading.Event(), threading.Event()

    def hold() -> None:
        add()
        taken.set()
        enough.wait(10)

    holder = in_a_thread(counted, lambda: transact(hold))
    assert taken.wait(5)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        transact(add)
    first = time.monotonic() - started
    with pytest.raises(Unavailable):
        transact(add)  # the second write of the same request
    second = time.monotonic() - started - first
    enough.set()
    holder.join()
    assert TIMEOUT * 0.8 <= first < TIMEOUT * 3
    assert second < 0.2
    in_a_thread(counted, lambda: transact(add)).join()
    assert value() == 2, "another request writes at once, and what was given up is not there"


@on_postgresql
@pytest.mark.row("FT-11")
def test_of_two_writers_that_wait_for_each_other_one_is_tried_again_and_both_finish(counted: Flask) -> None:
    meet = threading.Barrier(2)
    tries: list[str] = []

    def write(first: str, second: str) -> None:
        def work() -> None:
            tries.append(first)
            db.session.execute(sa.text("set local deadlock_timeout = '100ms'"))
            add(name=first)
            if len(tries) <= 2:
                meet.wait(5)
            add(name=second)

        transact(work)

    threads = [in_a_thread(counted, lambda pair=pair: write(*pair)) for pair in (("one", "two"), ("two", "one"))]
    for thread in threads:
        thread.join(20)
    assert (value("one"), value("two")) == (2, 2)
    assert len(tries) == 3


@on_postgresql
@pytest.mark.row("FT-11")
def test_a_serialization_failure_is_tried_again_from_the_beginning(counted: Flask) -> None:
    seen: list[int] = []

    def work() -> None:
        # The first read takes the snapshot; what another writes after that makes ours impossible (SQLSTATE 40001).
        db.session.execute(sa.text("set transaction isolation level repeatable read"))
        seen.append(read())
        if len(seen) == 1:
            in_a_thread(counted, lambda: transact(lambda: add(10))).join()
        db.session.execute(sa.text("update counters set value = :n where name = 'one'"), {"n": seen[-1] + 1})

    transact(work)
    assert seen == [0, 10]
    assert value() == 11


@on_sqlite
@pytest.mark.row("FT-27")
def test_what_a_writer_has_read_stays_true_until_it_is_done(counted: Flask) -> None:
    others: list[threading.Thread] = []

    def work() -> None:
        seen = read()
        others.append(in_a_thread(counted, lambda: transact(lambda: add(10))))
        time.sleep(0.1)
        db.session.execute(sa.text("update counters set value = :n where name = 'one'"), {"n": seen + 1})

    transact(work)
    others[0].join()
    assert value() == 11


@pytest.mark.row("FT-11", "FT-27")
def test_writers_in_many_threads_lose_nothing(counted: Flask) -> None:
    def write(_: int) -> None:
        with counted.app_context():
            for _ in range(5):
                transact(add)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert value() == WRITERS * 5


@on_postgresql
@pytest.mark.row("FT-08")
def test_a_statement_that_takes_too_long_is_ended_and_counts_as_an_outage(counted: Flask) -> None:
    started = time.monotonic()
    with pytest.raises(sa.exc.OperationalError) as raised:
        db.session.scalar(sa.text("select pg_sleep(10)"))
    assert time.monotonic() - started < TIMEOUT * 4
    assert database.is_outage(raised.value)


@on_sqlite
@pytest.mark.row("FT-06", "FT-27")
def test_sqlite_keeps_what_was_committed_holds_to_its_foreign_keys_and_waits_no_longer_than_it_may(
    counted: Flask,
) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": TIMEOUT * 1000}
    assert {name: db.session.scalar(sa.text(f"pragma {name}")) for name in wanted} == wanted
