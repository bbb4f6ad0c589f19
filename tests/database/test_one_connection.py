"""A request uses one connection, and a session of the ORM only when it asks the ORM; which commits wait for the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from oidc_server import drivers, one_connection
from oidc_server.database import Unavailable, db, execute, let_go, transact
from oidc_server.one_connection import OneConnectionSession
from oidc_server.statements import Statement
from tests import flows
from tests.conftest import API
from tests.flows import Browser

from .counters import add, read, value

_READ = Statement(sa.select(sa.literal(1)))
SCOPE = "openid profile photos:read"


@pytest.fixture
def sessions() -> Iterator[list[object]]:
    """The transactions that sessions of the ORM begin."""
    begun: list[object] = []

    def begins(session: object, *_: object) -> None:
        begun.append(session)

    event.listen(OneConnectionSession, "after_begin", begins)
    yield begun
    event.remove(OneConnectionSession, "after_begin", begins)


def test_requests_of_programs_do_without_the_orm(alice: Browser, sessions: list[object]) -> None:
    app = alice.app
    tokens = alice.obtain_tokens(scope=SCOPE, resource=API)
    about_alice = alice.obtain_tokens(scope="openid profile")["access_token"]
    flows.refresh(app, tokens["refresh_token"])  # who asks is remembered from now on
    flows.introspect(app, tokens["access_token"])
    flows.token_request(app, "machine", grant_type="client_credentials", scope="photos:read", resource=API)
    code = flows.answer_of(alice.authorize(follow=False, scope=SCOPE, resource=API))["code"]
    sessions.clear()

    requests: dict[str, Callable[[], TestResponse]] = {
        "code": lambda: flows.redeem(app, code),
        "authorize": lambda: alice.authorize(follow=False, scope=SCOPE, resource=API),
        "userinfo": lambda: flows.userinfo(app, about_alice),
        "introspect": lambda: flows.post_as(app, "/introspect", "api", token=tokens["access_token"]),
        "client credentials": lambda: flows.token_request(
            app, "machine", grant_type="client_credentials", scope="photos:read", resource=API
        ),
    }
    for name, request in requests.items():
        assert request().status_code in (200, 303), name
        assert not sessions, name


def test_the_orm_and_statements_share_a_transaction(counted: Flask) -> None:
    def work() -> None:
        add()
        assert db.session.connection() is one_connection.current().connection
        assert execute(_READ) == (1,)
        db.session.execute(sa.text("update counters set value = value + 1"))
        raise LookupError("all of it is undone")

    with pytest.raises(LookupError):
        transact(work)
    assert value() == 0


def test_what_the_orm_read_before_does_not_hold_a_writer_back(counted: Flask) -> None:
    assert read() == 0
    transact(add)
    assert read() == 1


def test_removing_the_session_gives_the_connection_back(counted: Flask) -> None:
    assert execute(_READ) == (1,)
    db.session.execute(sa.text("select 1"))
    assert one_connection.current().connection is not None
    db.session.remove()
    assert one_connection.current().connection is None
    assert execute(_READ) == (1,)


def test_a_request_gives_its_connection_back(counted: Flask) -> None:
    pool = db.engine.pool
    db.session.remove()
    one_connection.current().disconnect()
    before = pool.checkedout()  # type: ignore[attr-defined]
    with counted.app_context():
        execute(_READ)
        assert pool.checkedout() == before + 1  # type: ignore[attr-defined]
    assert pool.checkedout() == before  # type: ignore[attr-defined]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """PRAGMA synchronous at each commit to SQLite that ended something."""
    seen: list[int] = []
    commit = drivers.SQLite.commit

    def committed(self: drivers.SQLite) -> None:
        if self.in_transaction:
            seen.append(self.execute("PRAGMA synchronous").fetchone()[0])
        commit(self)

    monkeypatch.setattr(drivers.SQLite, "commit", committed)
    return seen


@pytest.mark.row("FT-06")
def test_only_a_code_that_nobody_redeemed_may_be_lost_with_the_power(alice: Browser, waits: list[int]) -> None:
    full, normal = 2, 1
    alice.obtain_tokens(scope=SCOPE, resource=API)  # with consent
    waits.clear()
    code = flows.answer_of(alice.authorize(follow=False, scope=SCOPE, resource=API))["code"]
    assert waits == [normal], "the log is written in order: what follows from this code cannot be there without it"
    waits.clear()
    tokens = flows.redeem(alice.app, code).json
    assert tokens is not None
    assert flows.refresh(alice.app, tokens["refresh_token"]).status_code == 200
    assert waits == [full, full]
    waits.clear()
    bob = Browser(alice.app)
    bob.sign_in("bob")
    assert waits and set(waits) == {full}


@pytest.mark.row("FT-06")
def test_consent_and_all_else_is_on_the_disk_before_the_answer(alice: Browser, waits: list[int]) -> None:
    alice.obtain_tokens(scope=SCOPE, resource=API)
    assert set(waits) == {2}


def test_postgresql_is_told_not_to_wait_for_the_disk_for_one_transaction(counted: Flask) -> None:
    if db.engine.dialect.name != "postgresql":
        return  # SQLite is looked at above
    asked = Statement(sa.select(sa.func.current_setting("synchronous_commit")))
    assert transact(lambda: execute(asked), lasting=False) == ("off",)
    assert transact(lambda: execute(asked)) == ("on",)
    assert execute(asked) == ("on",)


def test_what_writes_outside_of_a_transaction_is_refused_before_it_is_done(counted: Flask) -> None:
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    write = Statement(sa.update(counters).values(value=sa.bindparam("to")))
    with pytest.raises(RuntimeError, match="transact"):
        execute(write, to=7)
    assert value() == 0
    transact(lambda: execute(write, to=7))
    assert value() == 7


def test_nothing_is_held_while_something_takes_long(counted: Flask) -> None:
    transact(add)
    assert read() == 1
    assert one_connection.current().connection is not None
    let_go()
    assert one_connection.current().connection is None
    assert not db.session().in_transaction()
    assert read() == 1


def test_a_connection_lost_within_a_transaction_ends_it_whatever_the_work_makes_of_it(counted: Flask) -> None:
    """What follows would run on a new connection, without a transaction, and half of the work would stay."""

    def lose() -> None:
        connection = one_connection.current().connect()
        connection.invalidate()

    def work_that_goes_on() -> None:
        add()
        lose()
        with suppress(Unavailable):
            execute(_READ)

    def work_that_ends() -> None:
        execute(_READ)
        lose()

    def work_of_the_orm() -> None:
        lose()
        add()

    for work in (work_that_goes_on, work_that_ends, work_of_the_orm):
        with pytest.raises((Unavailable, sa.exc.SQLAlchemyError)):
            transact(work)
        one_connection.current().discouraged_until = 0.0
        assert value() == 0, work.__name__
    transact(add)
    assert value() == 1


@pytest.mark.row("FT-09")
def test_a_connection_that_was_lost_in_its_pool_costs_no_request(
    counted: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "postgresql":
        return  # a file has no connections to lose
    monkeypatch.setattr(drivers, "_has_news", lambda _connection: False)  # as when it is lost after the look at it
    asked = Statement(sa.select(sa.func.pg_backend_pid()))
    for work in (lambda: execute(asked), lambda: transact(add)):
        with db.engine.connect() as other:
            found = execute(asked)
            assert found is not None
            let_go()
            other.exec_driver_sql(f"select pg_terminate_backend({found[0]})")
            time.sleep(0.05)
            work()
            let_go()
    assert value() == 1
