"""The queries on roles that people have at one client alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from ..database import db
from .models import ClientRoles


def roles_at(account_id: str, client_id: str) -> list[str]:
    """The roles of a person at this client."""
    roles = db.session.scalar(sa.select(ClientRoles.roles).where(*_at(account_id, client_id)))
    return list(roles or ())


def of_accounts(account_ids: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """account id -> client_id -> roles, for those who have any."""
    found: dict[str, dict[str, list[str]]] = {}
    wanted = sa.select(ClientRoles.account_id, ClientRoles.client_id, ClientRoles.roles)
    rows = wanted.where(ClientRoles.account_id.in_(list(account_ids))).order_by(ClientRoles.client_id)
    for account_id, client_id, roles in db.session.execute(rows):
        found.setdefault(account_id, {})[client_id] = list(roles)
    return found


def put(account_id: str, client_id: str, roles: list[str]) -> None:
    """Have these be all the roles at this client. Call inside database.transact(), for a client that there is."""
    db.session.execute(sa.delete(ClientRoles).where(*_at(account_id, client_id)))
    if roles:
        db.session.execute(sa.insert(ClientRoles).values(account_id=account_id, client_id=client_id, roles=roles))


def existing_clients(client_ids: Collection[str]) -> set[str]:
    """Those of the clients that there are; read from the foreign key's table, because people know nothing of clients."""
    column = next(iter(ClientRoles.__table__.c.client_id.foreign_keys)).column
    return set(db.session.scalars(sa.select(column).where(column.in_(list(client_ids)))))


def _at(account_id: str, client_id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return ClientRoles.account_id == account_id, ClientRoles.client_id == client_id
