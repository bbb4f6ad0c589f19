"""The queries of the outbox. Whoever changes it runs inside database.transact()."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from ..database import db, now
from .models import OutboxMail

#: Seconds for which a mail belongs to the worker that took it; longer than transport.LONGEST_DELIVERY, or two would send it.
LEASE = 300.0
#: Seconds after which a mail that could not be delivered is given up.
PATIENCE = 86400.0
#: Seconds for which it is known what became of a mail.
KEPT = 7 * 86400.0

_UNCHECKED = {"synchronize_session": False}


def add(mail: OutboxMail) -> None:
    """Put a mail into the outbox."""
    db.session.add(mail)
    db.session.flush()


def find(mail_id: str) -> OutboxMail | None:
    return db.session.get(OutboxMail, mail_id)


def newest(limit: int, state: str | None = None) -> list[OutboxMail]:
    """Mails, the newest first; of one state if it is given."""
    query = sa.select(OutboxMail).order_by(OutboxMail.created_at.desc(), OutboxMail.id).limit(limit)
    if state == "waiting":
        query = query.where(OutboxMail.due_at.is_not(None))
    elif state is not None:
        has_problem = OutboxMail.problem.is_not(None) if state == "failed" else OutboxMail.problem.is_(None)
        query = query.where(OutboxMail.due_at.is_(None), has_problem)
    return list(db.session.scalars(query))


def list_for(account_id: str) -> list[OutboxMail]:
    """The mails of a person that are still known, the newest first."""
    query = sa.select(OutboxMail).where(OutboxMail.account_id == account_id)
    return list(db.session.scalars(query.order_by(OutboxMail.created_at.desc(), OutboxMail.id)))


def forget(account_id: str) -> None:
    """Delete the mails of a person who goes, those too that still wait."""
    db.session.execute(sa.delete(OutboxMail).where(OutboxMail.account_id == account_id), execution_options=_UNCHECKED)


def count_since(recipient_hash: str, kind: str, since: float) -> int:
    """How many mails of a kind an address got since then."""
    query = sa.select(sa.func.count()).where(
        OutboxMail.recipient_hash == recipient_hash, OutboxMail.kind == kind, OutboxMail.created_at > since
    )
    return db.session.scalar(query) or 0


def is_any_due() -> bool:
    """Whether a worker has something to do: one look into an index, and no lock."""
    return db.session.scalar(sa.select(OutboxMail.id).where(*_is_due()).limit(1)) is not None


def claim() -> OutboxMail | None:
    """Take the mail that has been due for longest, for LEASE seconds; of simultaneous workers each gets another one."""
    due = sa.select(OutboxMail.id).where(*_is_due()).order_by(OutboxMail.due_at).limit(1)
    if db.engine.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)  # SQLite has one writer at a time
    claimed = db.session.scalar(
        sa.update(OutboxMail)
        .where(OutboxMail.id == due.scalar_subquery())
        # The attempt counts from its beginning, so that a mail that kills its worker is not tried for ever.
        .values(lease=secrets.token_hex(16), due_at=now() + LEASE, attempts=OutboxMail.attempts + 1)
        .returning(OutboxMail),
        execution_options={"populate_existing": True, **_UNCHECKED},
    )
    if claimed is not None:
        # What the worker holds must not change with the row: a lease that was read again would be somebody else's.
        db.session.expunge(claimed)
    return claimed


def finish(mail: OutboxMail, problem: str | None = None) -> bool:
    """It was delivered, or with a `problem` never will be: its contents are wiped. False if the lease went to somebody else."""
    return _change(mail, due_at=None, lease=None, sealed=None, ended_at=now(), problem=problem)


def postpone(mail: OutboxMail, seconds: float, problem: str) -> bool:
    """Try again after so many seconds. False if the lease went to somebody else."""
    return _change(mail, due_at=now() + seconds, lease=None, problem=problem)


def purge(limit: int) -> int:
    """Give up what nobody delivered in time, and delete what ended long ago; up to `limit` rows of each. Answer how many."""
    return _give_up(limit) + _delete(limit)


def _give_up(limit: int) -> int:
    late = _some(OutboxMail.due_at.is_not(None), OutboxMail.gives_up_at <= now(), limit=limit)
    values = {"due_at": None, "lease": None, "sealed": None, "ended_at": now()}
    problem = sa.func.coalesce(OutboxMail.problem, "No mail server took it in time.")
    given_up = sa.update(OutboxMail).where(OutboxMail.id.in_(late)).values(**values, problem=problem)
    return _count(db.session.execute(given_up, execution_options=_UNCHECKED))


def _delete(limit: int) -> int:
    old = _some(OutboxMail.ended_at <= now() - KEPT, limit=limit)
    return _count(db.session.execute(sa.delete(OutboxMail).where(OutboxMail.id.in_(old)), execution_options=_UNCHECKED))


def _some(*which: sa.ColumnElement[bool], limit: int) -> sa.Select[str]:
    found = sa.select(OutboxMail.id).where(*which).limit(limit)
    # Two nodes that clean up never wait for each other.
    return found.with_for_update(skip_locked=True) if db.engine.dialect.name == "postgresql" else found


def _is_due() -> tuple[sa.ColumnElement[bool], ...]:
    return OutboxMail.due_at <= now(), OutboxMail.gives_up_at > now()


def _change(mail: OutboxMail, **values: object) -> bool:
    changed = db.session.execute(
        sa.update(OutboxMail).where(OutboxMail.id == mail.id, OutboxMail.lease == mail.lease).values(**values),
        execution_options=_UNCHECKED,
    )
    return _count(changed) == 1


def _count(result: object) -> int:
    return int(getattr(result, "rowcount", 0))
