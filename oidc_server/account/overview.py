"""GET /account: the person at a glance, what deserves a look, and the way to everything else."""

from __future__ import annotations

from flask import Response

from .. import activity, factors, sessions
from ..database import now
from ..errors import Pages
from . import person
from .apps import connected_apps

blueprint = Pages("account_overview", __name__)

# Seconds back for which what looks like guessing is pointed out.
_RECENT = 7 * 86400.0
_ROWS_LOOKED_AT = 50


@blueprint.get("/account")
def show() -> Response:
    session = person.require_person()
    rows = activity.list_for(session.account_id, _ROWS_LOOKED_AT)
    return person.show(
        "account/overview.html",
        session,
        factors=factors.of(session.account_id),
        sessions=sessions.store.list_for(session.account_id),
        apps=connected_apps(session.account),
        last=rows[0] if rows else None,
        warnings=[row for row in rows if activity.EVENTS[row.event].is_warning and row.last_at > now() - _RECENT],
        kinds=activity.EVENTS,
    )
