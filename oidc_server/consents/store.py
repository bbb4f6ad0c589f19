"""The only queries on remembered consents."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from ..database import db, execute, now
from ..statements import Statement
from .models import Consent

_TABLE = sa.inspect(Consent).local_table
_OF = Statement(
    sa.select(_TABLE.c.scope, _TABLE.c.resources).where(
        _TABLE.c.account_id == sa.bindparam("person"), _TABLE.c.client_id == sa.bindparam("app")
    )
)


def covers(account_id: str, client_id: str, scope: Collection[str], resources: Collection[str]) -> bool:
    """Whether the person allowed this client all of that before."""
    found = execute(_OF, person=account_id, app=client_id)
    return found is not None and set(scope) <= set(found[0]) and set(resources) <= set(found[1])


def list_for(account_id: str) -> Sequence[Consent]:
    """What a person allowed, the app allowed last first."""
    query = sa.select(Consent).where(Consent.account_id == account_id)
    return db.session.scalars(query.order_by(Consent.granted_at.desc(), Consent.client_id)).all()


def remember(account_id: str, client_id: str, scope: Collection[str], resources: Collection[str]) -> None:
    """Add to what the person allowed this client; `granted_at` moves when there was something to add. Inside database.transact()."""
    found = db.session.get(Consent, (account_id, client_id), populate_existing=True)
    if found is None:
        found = Consent(account_id=account_id, client_id=client_id, scope=[], resources=[], granted_at=now())
        db.session.add(found)
    elif set(scope) <= set(found.scope) and set(resources) <= set(found.resources):
        return
    found.scope = sorted({*found.scope, *scope})
    found.resources = sorted({*found.resources, *resources})
    found.granted_at = now()


def remove_all(account_id: str) -> None:
    """Forget everything the person allowed any app. Inside database.transact()."""
    gone = sa.delete(Consent).where(Consent.account_id == account_id)
    db.session.execute(gone, execution_options={"synchronize_session": False})


def remove(account_id: str, client_id: str) -> bool:
    """Forget what the person allowed this client; False when there was nothing. Inside database.transact()."""
    gone = sa.delete(Consent).where(Consent.account_id == account_id, Consent.client_id == client_id)
    removed = db.session.execute(gone.returning(Consent.client_id), execution_options={"synchronize_session": False})
    return removed.first() is not None
