"""GET /account/apps: the connected apps, what each may do, and an end to it. ASVS 10.4.9 and 10.7.3, row CO-05."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request

from .. import audit, consents, csrf, strict_form
from ..accounts import Account
from ..clients import store as clients
from ..consents.words import ScopeText, texts
from ..database import transact
from ..errors import PageError, Pages
from ..resources import store as resources
from ..tokens import connections
from . import notices, person

blueprint = Pages("account_apps", __name__)


@dataclass(frozen=True)
class ConnectedApp:
    """One app; times are epoch seconds, `last_used_at` is None when it holds nothing that was ever used."""

    client: Any
    scopes: list[ScopeText]
    since: float
    last_used_at: float | None
    is_offline: bool


def connected_apps(account: Account) -> list[ConnectedApp]:
    """What the person allowed and what still lives, together, the app used last first."""
    allowed = {consent.client_id: consent for consent in consents.list_for(account.id)}
    told = connections.clients_of(account.id)
    connected = {name: found for name, found in told.items() if found.is_live or name in allowed}
    apps = []
    for client_id in {**allowed, **connected}:
        client = clients.find(client_id)
        if client is None:
            continue
        consent, connection = allowed.get(client_id), connected.get(client_id)
        scope = set(consent.scope if consent else ()) | (connection.scope if connection else set())
        identifiers = set(consent.resources if consent else ()) | (connection.resources if connection else set())
        found = [resource for identifier in sorted(identifiers) if (resource := resources.find(identifier)) is not None]
        # In the order of the client's registration, which is the order its consent page had.
        ordered = [name for name in client.scope.split() if name in scope]
        times = [one for one in (consent and consent.granted_at, connection and connection.since) if one]
        apps.append(
            ConnectedApp(
                client=client,
                scopes=texts(account, ordered, found),
                since=min(times),
                last_used_at=connection.last_used_at if connection else None,
                is_offline=connection is not None and connection.is_offline,
            )
        )
    return sorted(apps, key=lambda app: (-(app.last_used_at or app.since), app.client.client_id))


@blueprint.get("/account/apps")
def show() -> Response:
    session = person.require_person()
    return person.show("account/apps.html", session, apps=connected_apps(session.account))


@blueprint.post("/account/apps/remove")
def remove() -> Response:
    """Forget the consent and end every token family of one app."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "account apps")
    session = person.require_person()
    client_id = form.get("client_id", "")
    if not remove_app(session.account_id, client_id):
        raise PageError("bad_request", developer="The account has no such app.", status=404)
    return notices.go_on("/account/apps", "removed")


def remove_app(account_id: str, client_id: str) -> bool:
    """Take everything from an app that it has of this person; False when it has nothing."""

    def end() -> bool:
        had_consent = consents.remove(account_id, client_id)
        ended = connections.end(account_id, client_id, "removed by the person")
        if not (had_consent or ended):
            return False
        audit.record(audit.CONSENT_REVOKED, account_id=account_id, client_id=client_id, families=ended)
        return True

    return transact(end)
