"""The only queries on remembered consents."""

from __future__ import annotations

from collections.abc import Collection

from ..database import db, now
from .models import Consent


def covers(account_id: str, client_id: str, scope: Collection[str], resources: Collection[str]) -> bool:
    """Whether the person allowed this client all of that before."""
    found = db.session.get(Consent, (account_id, client_id))
    return found is not None and set(scope) <= set(found.scope) and set(resources) <= set(found.resources)


def remember(account_id: str, client_id: str, scope: Collection[str], resources: Collection[str]) -> None:
    """Add to what the person allowed this client. Call inside database.transact()."""
    found = db.session.get(Consent, (account_id, client_id), populate_existing=True)
    if found is None:
        found = Consent(account_id=account_id, client_id=client_id, scope=[], resources=[], granted_at=now())
        db.session.add(found)
    found.scope = sorted({*found.scope, *scope})
    found.resources = sorted({*found.resources, *resources})
    found.granted_at = now()
