"""Several workers share one outbox: no mail is lost, none sent twice, but for the one whose worker died between the yes and the commit."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import upkeep
from oidc_server.database import db, transact
from oidc_server.mail import delivery, store, transport
from oidc_server.mail.models import OutboxMail

from ..flows import Clock
from ..live import LiveServer
from .conftest import send_reset
from .smtp_server import MailServer


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.row("FT-26")
def test_four_threads_at_once_send_each_mail_once(make_mailer: Callable[..., Flask], mail_server: MailServer) -> None:
    app = make_mailer(smtp_url=mail_server.url)
    wanted = {f"person{number}@example.test" for number in range(40)}
    with app.app_context():
        for address in sorted(wanted):
            send_reset(address, link="https://id.example.test/reset?x")
    together = threading.Barrier(4)
    counts: list[int] = []

    def work() -> None:
        with app.app_context():
            together.wait()
            counts.append(sum(iter(delivery.deliver_due, 0)))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Counter(address for mail in mail_server.taken for address in mail.recipients) == Counter(wanted)
    assert sum(counts) == 40
    assert mail_server.connections > 1


@pytest.mark.row("FT-26")
def test_three_processes_deliver_what_requests_left_and_each_mail_once(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    settings = {"smtp_url": mail_server.url, "signing_algorithms": "ES256"}
    server = LiveServer(tmp_path / "live", workers=3, database_url=database_url, under="gunicorn", **settings)
    wanted = {f"person{number}@example.test" for number in range(45)}
    with running(server):
        wake(server)
        with server.app.app_context():
            for address in sorted(wanted):
                send_reset(address, link=f"{server.url}/reset?x")
        wait_for(lambda: len(mail_server.taken) >= len(wanted))
        wait_for(lambda: waiting(server.app) == 0)
        time.sleep(2.5)  # two more rounds of each worker
    assert Counter(address for mail in mail_server.taken for address in mail.recipients) == Counter(wanted)


@pytest.mark.row("FT-26")
def test_a_worker_killed_after_the_servers_yes_costs_one_duplicate_with_the_same_message_id(
    tmp_path: Path, database_url: str, mail_server: MailServer, clock: Clock
) -> None:
    mail_server.delay = 5.0  # the mail is taken, and nobody hears the yes
    server = LiveServer(tmp_path / "live", database_url=database_url, smtp_url=mail_server.url)
    with server.app.app_context():
        send_reset(link=f"{server.url}/reset?x")
        send_reset("bob@example.test", link=f"{server.url}/reset?x")
    with running(server):
        wake(server)
        assert mail_server.arrived.wait(20)
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
        wait_for(lambda: len(mail_server.taken) == 1)
        mail_server.delay = 0.0
        with server.app.app_context():
            # Its lease holds: another worker sends the other mail and leaves this one alone.
            while delivery.deliver_due():
                pass
            assert [len(mail_server.to(f"{name}@example.test")) for name in ("alice", "bob")] == [1, 1]
            assert waiting(server.app) == 1
            clock.advance(store.LEASE + 1)
            while delivery.deliver_due():
                pass
            clock.advance(86400)
            assert delivery.deliver_due() == 0
    first, second = mail_server.to("alice@example.test")
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert len(mail_server.to("bob@example.test")) == 1


@pytest.mark.row("FT-26")
def test_a_mail_that_was_taken_while_the_database_is_locked_is_not_sent_again(
    make_app: Callable[..., Flask], mail_server: MailServer, folder: Path, clock: Clock
) -> None:
    app = make_app(smtp_url=mail_server.url, database_timeout=0.2)
    with app.app_context():
        send_reset()
    mail_server.delay = 1.0

    def work() -> None:
        with app.app_context():
            delivery.deliver_due()
            db.session.remove()

    worker = threading.Thread(target=work)
    worker.start()
    assert mail_server.arrived.wait(10)
    locked = sqlite3.connect(folder / "oidc.sqlite3", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    time.sleep(3)
    assert worker.is_alive()
    locked.execute("ROLLBACK")
    worker.join(20)
    clock.advance(store.LEASE + 1)
    with app.app_context():
        assert delivery.deliver_due() == 0
        assert store.newest(1)[0].state == "delivered"
    assert len(mail_server.taken) == 1


def test_refused_mails_do_not_hold_up_the_others(make_app: Callable[..., Flask], mail_server: MailServer) -> None:
    app = make_app(smtp_url=mail_server.url)
    refused = [f"gone{number}@example.test" for number in range(10)]
    mail_server.answers |= dict.fromkeys(refused, "550 gone")
    with app.app_context():
        for address in [*refused, "alice@example.test"]:
            send_reset(address)
    started = time.monotonic()
    app.test_client().get("/healthz", base_url="https://id.example.test")
    wait_for(lambda: len(mail_server.taken) == 1, 20)
    assert time.monotonic() - started < 6


def test_a_worker_whose_lease_went_to_another_changes_nothing(mailer: Flask, clock: Clock) -> None:
    send_reset()
    slow = transact(store.claim)
    assert slow is not None
    db.session.expunge_all()
    clock.advance(store.LEASE + 1)
    quick = transact(store.claim)
    assert quick is not None and quick.lease != slow.lease
    assert not transact(lambda: store.finish(slow, "too late"))
    assert not transact(lambda: store.postpone(slow, 1, "too late"))
    assert transact(lambda: store.finish(quick))
    db.session.expire_all()
    (found,) = store.newest(1)
    assert (found.state, found.attempts, found.problem) == ("delivered", 2, None)


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends(mailer: Flask, clock: Clock) -> None:
    send_reset()
    assert transact(store.claim) is not None
    assert transact(store.claim) is None
    clock.advance(store.LEASE - 1)
    assert transact(store.claim) is None
    clock.advance(1.5)
    assert transact(store.claim) is not None


def test_the_lease_outlasts_the_longest_delivery() -> None:
    assert transport.LONGEST_DELIVERY + 60 <= store.LEASE


def test_the_thread_starts_with_the_first_request_and_ends_with_its_app(
    make_app: Callable[..., Flask], mail_server: MailServer
) -> None:
    app = make_app(smtp_url=mail_server.url)
    before = threads()
    app.test_client().get("/healthz", base_url="https://id.example.test")
    app.test_client().get("/healthz", base_url="https://id.example.test")
    (started,) = threads() - before
    with app.app_context():
        send_reset()
    wait_for(lambda: len(mail_server.taken) == 1, 10)
    upkeep.stop(app)
    started.join(5)
    assert not started.is_alive()


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "mail"}


@contextmanager
def running(server: LiveServer) -> Iterator[None]:
    """Three workers at once take their time to start on a busy machine."""
    try:
        server.start(90)
        yield
    finally:
        server.stop()


def wake(server: LiveServer) -> None:
    """Each process starts its worker with its first request; connections are spread over the processes."""
    for _ in range(30):
        urllib.request.urlopen(f"{server.url}/healthz", timeout=30).read()


def waiting(app: Flask) -> int:
    with app.app_context():
        count = db.session.scalar(
            sa.select(sa.func.count()).select_from(OutboxMail).where(OutboxMail.due_at.is_not(None))
        )
        db.session.remove()
    return count or 0
