"""The only queries on what happened to accounts."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

import sqlalchemy as sa
from flask import has_request_context, request

from ..database import Overtaken, db, execute, is_outage, is_writing, now, transact
from ..statements import Statement
from .events import ALSO_FOR_NOBODY, COUNTED, EVENTS
from .models import Activity

log = logging.getLogger(__name__)

#: Seconds for which a person finds what happened.
KEPT = 90 * 86400.0
# Rows that are nobody's were written for their duration alone.
_KEPT_OF_NOBODY = 600.0
_NOBODY = "nobody"  # no account has this id
_COUNTED_TOGETHER = 3600.0
_NAMED = ("account_id", "client_id")
_INSERT = Statement(sa.insert(cast(sa.Table, Activity.__table__)))


def note(event: str, line: Mapping[str, object]) -> None:
    """Write down an audit line that belongs to a person; joins the caller's transaction when there is one.

    An outage of the database is no reason to lose the audit line itself, so on its own it is only logged.
    """
    account_id, client_id = (None if (found := line.get(name)) is None else str(found) for name in _NAMED)
    if event not in EVENTS or (account_id is None and event not in ALSO_FOR_NOBODY):
        return
    write = partial(_write, event, account_id, str(line.get("network", "-"))[:64], client_id)
    if is_writing():
        write()
        return
    try:
        transact(write)
    except Overtaken:
        pass  # the account has just gone, and what happened to it with it
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("activity of %s was not written down: %s", event, type(error).__name__)


def list_for(account_id: str, limit: int, before: str | None = None) -> Sequence[Activity]:
    """Up to `limit` rows of an account, the newest first; `before` is the id of the last one that was seen."""
    query = sa.select(Activity).where(Activity.account_id == account_id, Activity.at > now() - KEPT)
    if before is not None:
        # Looked up among the account's own: the id of somebody else's row is as good as none.
        seen = sa.select(Activity.at).where(Activity.id == before, Activity.account_id == account_id).scalar_subquery()
        query = query.where(sa.tuple_(Activity.at, Activity.id) < sa.tuple_(seen, before))
    return db.session.scalars(query.order_by(Activity.at.desc(), Activity.id.desc()).limit(limit)).all()


def purge(limit: int) -> int:
    """Delete up to `limit` rows that are past their time. Call inside database.transact()."""
    past = sa.select(Activity.id).where(
        sa.or_(
            Activity.at <= now() - KEPT,
            sa.and_(Activity.account_id.is_(None), Activity.last_at <= now() - _KEPT_OF_NOBODY),
        )
    )
    chosen = past.limit(limit)
    if db.engine.dialect.name == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True)
    gone = db.session.execute(
        sa.delete(Activity).where(Activity.id.in_(chosen)), execution_options={"synchronize_session": False}
    )
    return int(getattr(gone, "rowcount", 0))


def _write(event: str, account_id: str | None, network: str, client_id: str | None) -> None:
    at = now()
    if event in COUNTED and _counted(event, account_id, network, at):
        return
    row = {
        "id": secrets.token_hex(16),
        "account_id": account_id,
        "event": event,
        "at": at,
        "last_at": at,
        "times": 1,
        "network": network,
        "user_agent": request.headers.get("User-Agent", "")[:200] if has_request_context() else "",
        "client_id": client_id,
    }
    execute(_INSERT, **row)


def _counted(event: str, account_id: str | None, network: str, at: float) -> bool:
    alike = sa.update(Activity).where(
        # The same work for nobody as for somebody's first (EN-02): a row is looked for, none is found, one is written.
        Activity.account_id == (account_id or _NOBODY),
        Activity.event == event,
        Activity.network == network,
        Activity.at > at - _COUNTED_TOGETHER,
    )
    counted = alike.values(times=Activity.times + 1, last_at=at).returning(Activity.id)
    return db.session.execute(counted, execution_options={"synchronize_session": False}).first() is not None
