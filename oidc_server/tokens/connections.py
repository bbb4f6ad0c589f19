"""The apps that a person is connected to, as their token families tell: since when, last used when, for what; and an end to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ..database import db, now
from ..server import current_server
from .families import authorization_of, is_live, revoke_account_client
from .models import Family

_ENDED = "ended_connection"


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
    for family in families_of(account_id):
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


def families_of(account_id: str) -> Sequence[Family]:
    """The families of an account, the oldest first, those too that have ended and were not purged yet."""
    return db.session.scalars(
        sa.select(Family).where(Family.account_id == account_id).order_by(Family.created_at, Family.id)
    ).all()


def end(account_id: str, client_id: str, because: str) -> int:
    """End every family that an account has with a client, and every code on its way to one; how many families. Inside transact()."""
    at = now()
    ends_at = at + current_server.settings.authorization_code_lifetime
    current_server.storage.put(_ENDED, f"{account_id} {client_id}", {"at": at}, ends_at)
    return revoke_account_client(account_id, client_id, because)


def was_ended(account_id: str, client_id: str, since: float) -> bool:
    """Whether the connection was ended after the moment `since`, which is no longer ago than a code lives."""
    ended = current_server.storage.read(_ENDED, f"{account_id} {client_id}")
    return ended is not None and bool(ended["at"] >= since)
