"""A mail waits in the outbox until the mail server took it, was told not to send it, or its time is over."""

from __future__ import annotations

import json
import logging

import pytest
from flask import Flask

from oidc_server import mail
from oidc_server.database import db, now, transact
from oidc_server.mail import delivery, store, transport
from oidc_server.mail.models import OutboxMail

from ..flows import Clock
from .conftest import CODE, LINK, send_reset
from .smtp_server import MailServer


def only() -> OutboxMail:
    db.session.expire_all()
    (found,) = store.newest(10)
    return found


def test_what_a_transaction_sends_is_delivered_after_it(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    assert mail_server.taken == []
    assert delivery.deliver_due() == 1
    (taken,) = mail_server.taken
    assert (taken.sender, taken.recipients) == ("no-reply@id.example.test", ["alice@example.test"])
    assert only().state == "delivered"
    assert delivery.deliver_due() == 0
    assert len(mail_server.taken) == 1


def test_what_is_undone_sends_nothing(mailer: Flask, mail_server: MailServer) -> None:
    def send_and_fail() -> None:
        send_reset()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(send_and_fail)
    assert store.newest(10) == []
    assert delivery.deliver_due() == 0
    assert mail_server.connections == 0


@pytest.mark.row("LS-03")
def test_the_table_never_holds_what_opens_an_account_in_the_clear(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    row = dict(db.session.execute(OutboxMail.__table__.select()).mappings().one())
    stored = repr(row)
    assert row["sealed"] is not None
    assert not [secret for secret in (LINK, CODE, "the-secret-of-the-link", "1234 5678") if secret in stored]


def test_what_was_delivered_is_wiped(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    delivery.deliver_due()
    assert only().sealed is None
    assert only().problem is None


def test_contents_of_another_mail_do_not_open(mailer: Flask, mail_server: MailServer) -> None:
    send_reset("alice@example.test")
    send_reset("mallory@example.test")
    alices = next(found for found in store.newest(10) if found.recipient == "alice@example.test")
    mallorys = next(found for found in store.newest(10) if found.recipient == "mallory@example.test")

    def swap() -> None:
        mallorys.sealed = alices.sealed

    transact(swap)
    while delivery.deliver_due():
        pass
    assert mail_server.to("mallory@example.test") == []
    assert len(mail_server.to("alice@example.test")) == 1


def test_a_mail_waits_while_the_mail_server_is_away_and_loses_no_attempt(
    mailer: Flask, mail_server: MailServer, clock: Clock
) -> None:
    port = mail_server.port
    mail_server.stop()
    send_reset()
    for _ in range(3):
        with pytest.raises(transport.Unreachable, match=r"cannot be reached \(ConnectionRefusedError\)"):
            delivery.deliver_due()
    assert (only().state, only().attempts) == ("waiting", 0)
    mail_server.start(port)
    assert delivery.deliver_due() == 1
    assert (only().state, only().attempts) == ("delivered", 1)


@pytest.mark.parametrize("code", ["550 5.1.1 alice@example.test is unknown", "553 no", "552 full"])
def test_a_recipient_refused_for_good_is_marked_and_not_tried_again(
    mailer: Flask, mail_server: MailServer, clock: Clock, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.answers["alice@example.test"] = code
    send_reset(account_id="a1")
    with caplog.at_level(logging.INFO):
        delivery.deliver_due()
    failed = only()
    assert failed.state == "failed"
    assert failed.sealed is None
    assert failed.problem is not None and failed.problem.startswith(
        f"The mail server refused the recipient ({code[:3]}"
    )
    assert "alice" not in failed.problem
    clock.advance(86000)
    assert delivery.deliver_due() == 0
    line = next(json.loads(record.getMessage()) for record in caplog.records if '"mail.failed"' in record.getMessage())
    assert (line["kind"], line["account_id"], line["mail_id"]) == ("reset_password", "a1", failed.id)


def test_a_recipient_put_off_is_tried_again_later_and_later(
    mailer: Flask, mail_server: MailServer, clock: Clock
) -> None:
    mail_server.answers["alice@example.test"] = "451 4.7.1 greylisted"
    transact(lambda: mail.send("password_changed", "alice@example.test", language="en", at=now(), network=None))
    waits = []
    for attempt in range(1, 12):
        before = now()
        assert delivery.deliver_due() == 1
        found = only()
        assert (found.state, found.attempts) == ("waiting", attempt)
        assert found.problem == "The mail server refused the recipient (451 4.7.1)."
        assert found.due_at is not None
        waits.append(found.due_at - before)
        assert delivery.deliver_due() == 0
        clock.advance(waits[-1] - 1)
        assert delivery.deliver_due() == 0
        clock.advance(1.5)
    expected = [30 * 2.0**attempt for attempt in range(9)] + [4 * 3600.0] * 2
    assert all(0.79 * wanted <= wait <= 1.22 * wanted for wait, wanted in zip(waits, expected, strict=True))
    mail_server.answers.clear()
    assert delivery.deliver_due() == 1
    assert only().state == "delivered"


def test_waits_have_jitter() -> None:
    assert len({delivery.retry_after(3) for _ in range(20)}) > 10
    assert delivery.retry_after(10_000) <= 4 * 3600 * 1.2


@pytest.mark.parametrize("answer", ["451 busy", "421 closing"])
def test_a_message_put_off_does_not_keep_others_back(mailer: Flask, mail_server: MailServer, answer: str) -> None:
    send_reset("slow@example.test")
    send_reset("alice@example.test")
    mail_server.answers["slow@example.test"] = answer
    delivery.deliver_due()
    delivery.deliver_due()
    assert len(mail_server.to("alice@example.test")) == 1


def test_a_message_refused_for_good_is_marked(mailer: Flask, mail_server: MailServer) -> None:
    mail_server.data_answer = "554 5.6.0 no"
    send_reset()
    delivery.deliver_due()
    assert (only().state, only().problem) == ("failed", "The mail server refused the message (554 5.6.0).")


def test_a_sender_refused_is_a_setting_to_correct_so_no_mail_is_given_up(
    mailer: Flask, mail_server: MailServer, clock: Clock
) -> None:
    mail_server.sender_answer = "550 5.7.1 not yours"
    send_reset()
    delivery.deliver_due()
    assert (only().state, only().problem) == ("waiting", "The mail server refused the sender (550 5.7.1).")
    mail_server.sender_answer = "250 OK"
    clock.advance(40)
    delivery.deliver_due()
    assert only().state == "delivered"


def test_a_mail_whose_link_has_ended_is_not_delivered_any_more(
    mailer: Flask, mail_server: MailServer, clock: Clock
) -> None:
    send_reset(ends_at=now() + 3600)
    clock.advance(3599)
    assert store.is_any_due()
    clock.advance(1.1)
    assert delivery.deliver_due() == 0
    assert transact(lambda: store.purge(100)) == 1
    assert (only().state, only().sealed) == ("failed", None)
    assert only().problem == "No mail server took it in time."


def test_after_a_day_a_mail_is_given_up_with_its_last_problem(
    mailer: Flask, mail_server: MailServer, clock: Clock
) -> None:
    mail_server.answers["alice@example.test"] = "450 later"
    transact(lambda: mail.send("password_changed", "alice@example.test", language="en", at=now(), network=None))
    delivery.deliver_due()
    clock.advance(86401)
    assert delivery.deliver_due() == 0
    transact(lambda: store.purge(100))
    assert (only().state, only().problem) == ("failed", "The mail server refused the recipient (450).")


def test_what_became_of_a_mail_is_known_for_a_week(mailer: Flask, mail_server: MailServer, clock: Clock) -> None:
    send_reset()
    delivery.deliver_due()
    clock.advance(7 * 86400 - 10)
    assert transact(lambda: store.purge(100)) == 0
    clock.advance(11)
    assert transact(lambda: store.purge(100)) == 1
    assert store.newest(10) == []


def test_the_server_itself_gives_up_and_deletes(mailer: Flask, mail_server: MailServer, clock: Clock) -> None:
    (job,) = [job for job in mailer.extensions["oidc_server"].jobs if job.name == "mail.purge"]
    send_reset(ends_at=now() + 60)
    clock.advance(61)
    job.run()
    assert only().state == "failed"
    clock.advance(7 * 86400 + 1)
    job.run()
    assert store.newest(10) == []


@pytest.mark.row("RC-07")
def test_an_address_gets_few_mails_of_a_kind_in_an_hour_and_nobody_is_told(
    mailer: Flask, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for number in range(20):
            send_reset("alice@example.test" if number % 2 else "ALICE@EXAMPLE.TEST")
    assert len(store.newest(100)) == 6
    assert sum('"mail.withheld"' in record.getMessage() for record in caplog.records) == 14
    send_reset("bob@example.test")
    # A flood of one kind does not drown the notice that somebody used what it asked for.
    transact(lambda: mail.send("password_changed", "alice@example.test", language="en", at=now(), network=None))
    assert len(store.newest(100)) == 8
    clock.advance(3601)
    send_reset()
    assert len(store.newest(100)) == 9


def test_several_mails_go_over_one_connection(mailer: Flask, mail_server: MailServer) -> None:
    for number in range(5):
        send_reset(f"person{number}@example.test")
    assert delivery.deliver_due() == 5
    assert (len(mail_server.taken), mail_server.connections) == (5, 1)


def test_the_secret_key_may_change_while_mails_wait(mailer: Flask, mail_server: MailServer) -> None:
    send_reset()
    server = mailer.extensions["oidc_server"]
    old = server.settings
    changed = type(old)(
        **{name: getattr(old, name) for name in old.__dataclass_fields__}
        | {"secret_key": "another-" + "0123456789abcdef" * 3, "secret_key_fallbacks": (old.secret_key,)}
    )
    server.settings = changed
    delivery.deliver_due()
    assert only().state == "delivered"
    send_reset("bob@example.test")
    server.settings = old
    delivery.deliver_due()
    assert {found.problem for found in store.newest(10)} == {None, "No secret key of this server opens its contents."}
