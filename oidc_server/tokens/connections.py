"""The apps that a person is connected to, as their token families tell: since when, last used when, for what."""

from __future__ import annotations

from dataclasses import dataclass

from .families import authorization_of, is_live, list_for


@dataclass
class Connection:
    """What the families of one app say together; times are epoch seconds."""

    client_id: str
    since: float
    last_used_at: float
    scope: set[str]
    resources: set[str]
    #: Whether something of it still lives, and whether that goes on when the browser session ends.
    is_live: bool = False
    is_offline: bool = False


def clients_of(account_id: str) -> dict[str, Connection]:
    """The apps that got something for this person, by client_id; those whose every family has ended are told as not live."""
    found: dict[str, Connection] = {}
    for family in list_for(account_id):
        used_at = family.rotated_at or family.created_at
        connection = found.setdefault(
            family.client_id, Connection(family.client_id, family.created_at, used_at, set(), set())
        )
        connection.last_used_at = max(connection.last_used_at, used_at)
        if is_live(family):
            authorization = authorization_of(family)
            connection.is_live = True
            connection.is_offline |= family.session_sid is None
            connection.scope |= set(authorization.scope)
            connection.resources |= set(authorization.resources)
    return found
