"""The worker: one daemon thread in each process that serves, which delivers what the outbox holds.

At least once, and twice only when the mail server's yes is lost on the way, or its worker dies before the commit that notes
it: a mail belongs to the worker that claimed it for longer than any delivery may take. A mail that the server puts off is tried again after
30 s, 1, 2, 4 … minutes, at most 4 hours, for a day or until its link has ended; one that it refuses for good (5xx) is
marked so. A server that is away costs no mail an attempt.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

from flask import Flask

from .. import audit
from ..database import db, is_outage, let_go, transact
from ..server import current_server
from . import contents, store, transport
from .addresses import AddressRefused
from .message import compose
from .models import OutboxMail

log = logging.getLogger(__name__)

#: Seconds between two looks into the outbox, and at most while mail server or database are away.
TICK = 1.0
_LONGEST_PAUSE = 60.0
_FIRST_RETRY = 30.0
_LONGEST_RETRY = 4 * 3600.0
# Seconds between the tries to note that a mail was taken; together less than is left of its lease.
_INSISTING = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
# Mails that go over one connection; servers dislike more.
_PER_CONNECTION = 50


def mount(app: Flask) -> None:
    """Start the thread with the first request, so after every fork; upkeep.stop() ends it."""
    started = threading.Event()

    @app.before_request
    def start() -> None:
        if not started.is_set():
            started.set()
            stopped = app.extensions["upkeep_stopped"]
            threading.Thread(target=_run, args=(app, stopped), name="mail", daemon=True).start()


def deliver_due() -> int:
    """Deliver what is due, over one connection; answer how many mails were tried. Raises transport.Unreachable before any is."""
    if not store.is_any_due():
        return 0
    let_go()  # neither a transaction nor a connection is held while the mail server thinks
    settings = current_server.settings
    endpoint = transport.endpoint_of(settings.smtp_url)
    tried = 0
    with transport.connect(endpoint, own_name=own_name(settings.issuer)) as connection:
        while tried < _PER_CONNECTION and (mail := transact(store.claim)) is not None:
            tried += 1
            if not _deliver(connection, mail):
                break
    return tried


def own_name(issuer: str) -> str:
    """What we call ourselves before the mail server: the issuer's host (RFC 5321 §4.1.1.1)."""
    host = urlsplit(issuer).hostname or ""
    return host if "." in host and not host.replace(".", "").isdigit() else "[127.0.0.1]"


def retry_after(attempts: int) -> float:
    """Seconds until the next attempt, with jitter, so that what failed together does not come back together."""
    return min(_FIRST_RETRY * 2.0 ** min(attempts - 1, 20), _LONGEST_RETRY) * random.uniform(0.8, 1.2)  # noqa: S311


def _deliver(connection: transport.Connection, mail: OutboxMail) -> bool:
    """Deliver one claimed mail and note what became of it; whether the connection can go on."""
    let_go()
    try:
        connection.deliver(_composed(mail))
    except transport.Postponed as error:
        reason, seconds = str(error), retry_after(mail.attempts)
        transact(lambda: store.postpone(mail, seconds, reason))
        log.warning("mail %s (%s) was put off: %s", mail.id, mail.kind, reason)
        return False
    except (transport.Refused, AddressRefused) as error:
        reason = str(error)
        if transact(lambda: store.finish(mail, reason)):
            _record(audit.MAIL_FAILED, mail, reason=reason)
        return isinstance(error, AddressRefused)
    if _note(lambda: store.finish(mail)):
        _record(audit.MAIL_DELIVERED, mail)
    return True


def _note(work: Callable[[], bool]) -> bool:
    """Write down that a mail was taken, also when the database is away for a moment: forgotten, it would be sent again."""
    for pause in _INSISTING:
        try:
            return transact(work)
        except Exception as error:
            if not is_outage(error):
                raise
            db.session.remove()
            time.sleep(pause)
    return transact(work)


def _composed(mail: OutboxMail) -> EmailMessage:
    settings = current_server.settings
    found = contents.unseal(mail.sealed, mail.id, settings)
    if found is None:
        raise transport.Refused("No secret key of this server opens its contents.")
    return compose(
        found,
        mail.recipient,
        mail_id=mail.id,
        created_at=mail.created_at,
        language=mail.language,
        settings=settings,
    )


def _record(event: str, mail: OutboxMail, **facts: object) -> None:
    audit.record(event, mail_id=mail.id, kind=mail.kind, account_id=mail.account_id, attempts=mail.attempts, **facts)


def _run(app: Flask, stopped: threading.Event) -> None:
    pause, last_problem = TICK, ""
    while not stopped.wait(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter, not a secret
        problem = _round(app, stopped)
        if problem != last_problem:
            if problem:
                log.error("mail waits in the outbox: %s", problem)
            else:
                log.info("mail leaves the outbox again")
        last_problem = problem
        pause = min(pause * 2, _LONGEST_PAUSE) if problem else TICK


def _round(app: Flask, stopped: threading.Event) -> str:
    """Deliver until nothing is due; answer what keeps mails from leaving, or the empty string."""
    with app.app_context():
        try:
            while not stopped.is_set() and deliver_due():
                pass
        except transport.Unreachable as error:
            return str(error)
        except Exception as error:
            if is_outage(error):
                return "The database does not answer."
            log.exception("a round of the mail worker failed")
            return f"The worker failed ({type(error).__name__})."
    return ""
