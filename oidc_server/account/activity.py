"""GET /account/activity: what happened to the account, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from .. import activity, strict_form
from ..activity import Activity, Kind
from ..clients import store as clients
from ..errors import Pages
from ..sessions.devices import Device, device_of, place_of
from . import person

blueprint = Pages("account_activity", __name__)

PAGE = 25


@dataclass(frozen=True)
class Happened:
    """A row as the page shows it; `app` is the name of the app it was about, or its identifier when it is gone."""

    row: Activity
    kind: Kind
    device: Device | None
    place: str
    app: str


@blueprint.get("/account/activity")
def show() -> Response:
    """The newest PAGE rows, or those before the one that `before` names."""
    query = strict_form.read_query(request)
    session = person.require_person()
    before = query.get("before")
    rows = activity.list_for(session.account_id, PAGE + 1, before)
    names: dict[str, str] = {}
    return person.show(
        "account/activity.html",
        session,
        happened=[_shown(row, names) for row in rows[:PAGE]],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        is_first=before is None,
        kept_days=int(activity.KEPT // 86400),
    )


def _shown(row: Activity, names: dict[str, str]) -> Happened:
    app = ""
    if row.client_id is not None:
        if row.client_id not in names:
            client = clients.find(row.client_id)
            names[row.client_id] = client.client_name if client is not None else row.client_id
        app = names[row.client_id]
    return Happened(
        row=row,
        kind=activity.EVENTS[row.event],
        device=device_of(row.user_agent) if row.user_agent else None,
        place=place_of(row.network),
        app=app,
    )
