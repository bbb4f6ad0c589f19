"""What the log says of a person reaches that person's list, as often for nobody as for somebody, and goes after 90 days."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask, g
from sqlalchemy import event as events

from oidc_server import activity, audit
from oidc_server.accounts import store as accounts
from oidc_server.activity import Activity
from oidc_server.database import db, transact
from tests.flows import Browser, Clock


@pytest.fixture
def alice_id(context: None) -> str:
    account = accounts.find_by_login("alice")
    assert account is not None
    return account.id


def told(account_id: str) -> list[tuple[str, int]]:
    return [(row.event, row.times) for row in activity.list_for(account_id, 100)]


def rows() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Activity)) or 0


@contextmanager
def writes(app: Flask) -> Iterator[list[str]]:
    """The statements that change something while this lasts, without their values."""
    seen: list[str] = []

    def after(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    events.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        events.remove(engine, "after_cursor_execute", after)


def test_a_persons_event_is_theirs_and_a_machines_is_nobodys(alice_id: str) -> None:
    audit.record(audit.CONSENT_GIVEN, account_id=alice_id, client_id="web")
    audit.record(audit.TOKEN_ISSUED, account_id=alice_id, client_id="web")
    audit.record(audit.CLIENT_CREATED, client_id="web")
    audit.record(audit.CONSENT_GIVEN, account_id=None)
    [row] = activity.list_for(alice_id, 10)
    assert (row.event, row.client_id, row.times) == (audit.CONSENT_GIVEN, "web", 1)
    assert rows() == 1


def test_what_is_undone_with_its_transaction_is_not_told(alice_id: str) -> None:
    def fail() -> None:
        audit.record(audit.PASSWORD_SET, account_id=alice_id)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(fail)
    assert told(alice_id) == []


def test_the_like_of_one_network_within_an_hour_is_counted_in_one_line(alice_id: str, clock: Clock) -> None:
    for network in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        clock.advance(60)
        audit.record(audit.SIGN_IN_FAILED, account_id=alice_id, network=network)
    clock.advance(3600)
    audit.record(audit.SIGN_IN_FAILED, account_id=alice_id, network="192.0.2.1")
    assert [row.times for row in activity.list_for(alice_id, 10)] == [1, 1, 2]
    audit.record(audit.SIGN_IN, account_id=alice_id, network="192.0.2.1")
    audit.record(audit.SIGN_IN, account_id=alice_id, network="192.0.2.1")
    assert told(alice_id)[:2] == [(audit.SIGN_IN, 1)] * 2, "what is no failure has a line of its own"


@pytest.mark.row("EN-01", "EN-02", "EN-07")
def test_a_wrong_password_writes_the_same_for_a_name_that_nobody_has(app: Flask) -> None:
    seen = []
    for name in ("alice", "nobody-here"):
        stranger = Browser(app)
        page = stranger.get("/login")
        with writes(app) as statements:
            answer = stranger.submit(page, follow=False, username=name, password="wrong")
        assert answer.status_code == 401
        seen.append(statements)
    assert seen[0] == seen[1]
    assert any("activity" in statement for statement in seen[0])


def test_what_is_nobodys_goes_soon_and_everything_after_90_days(alice_id: str, clock: Clock) -> None:
    audit.record(audit.SIGN_IN_FAILED, account_id=None, network="192.0.2.1")
    audit.record(audit.SIGN_IN, account_id=alice_id)
    clock.advance(599)
    assert transact(lambda: activity.purge(100)) == 0
    clock.advance(2)
    assert transact(lambda: activity.purge(100)) == 1
    clock.advance(90 * 86400 - 700)
    assert transact(lambda: activity.purge(100)) == 0
    assert len(told(alice_id)) == 1
    clock.advance(200)
    assert told(alice_id) == []
    assert transact(lambda: activity.purge(100)) == 1
    assert rows() == 0


def test_the_purge_takes_no_more_than_it_is_told(alice_id: str, clock: Clock) -> None:
    for _ in range(5):
        audit.record(audit.SIGN_IN, account_id=alice_id)
    clock.advance(91 * 86400)
    assert [transact(lambda: activity.purge(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_an_account_that_has_just_gone_loses_its_line_and_nothing_else(
    alice_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="oidc_server.audit")
    accounts.delete(alice_id)
    audit.record(audit.SIGN_IN_FAILED, account_id=alice_id, network="192.0.2.1")
    assert "sign_in.failed" in caplog.text
    assert rows() == 0


@pytest.mark.row("FT-01", "LS-06")
def test_a_busy_database_loses_no_audit_line(
    app: Flask, alice_id: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = dataclasses.replace(app.extensions["oidc_database"], timeout=0.2)
    monkeypatch.setitem(app.extensions, "oidc_database", impatient)
    caplog.set_level("INFO", logger="oidc_server")
    other = sa.create_engine(db.engine.url, connect_args={"timeout": 0.1})
    db.session.remove()
    g.pop("database")
    with other.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        started = time.monotonic()
        audit.record(audit.SIGN_IN, account_id=alice_id)
        assert time.monotonic() - started < 20
    other.dispose()
    assert "sign_in.ok" in caplog.text
    assert "was not written down" in caplog.text


def test_the_identifier_of_a_line_says_nothing_about_how_many_there_are(alice_id: str) -> None:
    audit.record(audit.SIGN_IN, account_id=alice_id)
    audit.record(audit.SIGN_IN, account_id=alice_id)
    ids = [row.id for row in activity.list_for(alice_id, 10)]
    assert len(set(ids)) == 2 and all(len(one) == 32 for one in ids)


def test_both_databases_page_alike(database_url: str, tmp_path: object) -> None:
    from tests.live import LiveServer  # only for its migrated app

    server = LiveServer(tmp_path, database_url=database_url)  # type: ignore[arg-type]
    try:
        with server.app.app_context():
            account = accounts.create("paula", None)
            for _ in range(5):
                audit.record(audit.SIGN_IN, account_id=account.id)
            audit.record(audit.SIGN_IN_FAILED, account_id=account.id, network="192.0.2.1")
            audit.record(audit.SIGN_IN_FAILED, account_id=account.id, network="192.0.2.1")
            for _ in range(2):
                audit.record(audit.SIGN_IN_FAILED, account_id=None, network="192.0.2.1")
            assert db.session.scalars(sa.select(Activity.times).where(Activity.account_id.is_(None))).all() == [1, 1]
            seen: list[str] = []
            while page := activity.list_for(account.id, 2, seen[-1] if seen else None):
                seen += [row.id for row in page]
            assert len(seen) == len(set(seen)) == 6
            assert transact(lambda: activity.purge(10)) == 0
            accounts.delete(account.id)
            assert rows() == 2, "nobody's"
    finally:
        server.stop()
