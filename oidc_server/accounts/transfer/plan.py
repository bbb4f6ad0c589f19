"""What a batch of people changes: read with three questions, decided person by person, written with few statements."""

from __future__ import annotations

import secrets
from typing import Any, cast

import sqlalchemy as sa

from ...database import db, now
from .. import client_roles
from ..models import Account
from ..passwords import is_ours
from .columns import Person

_TABLE = cast(sa.Table, Account.__table__)
# What an existing account keeps, whatever a line says.
_KEPT = {"id", "created_at", "username_key", "password_hash", "disabled"}


class Plan:
    """The inserts and updates of one batch, and what becomes of each person: (outcome, reasons).

    `update` changes who is there already. Reads the database; write() is called in the same transaction.
    """

    def __init__(self, people: list[Person], *, update: bool) -> None:
        self._update = update
        self._at = now()
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._roles: list[tuple[str, str, list[str]]] = []
        self._read(people)
        self.outcomes: list[tuple[str, list[str]]] = [self._decide(person) for person in people]

    def write(self) -> None:
        """Carry it out. Call inside database.transact()."""
        # Updates first: one of them may free the address that an insert takes.
        for changes in self._updates:
            account_id = changes.pop("id")
            db.session.execute(sa.update(_TABLE).where(_TABLE.c.id == account_id).values(changes))
        if self._inserts:
            db.session.execute(sa.insert(_TABLE), self._inserts)
        for account_id, client_id, roles in self._roles:
            client_roles.put(account_id, client_id, roles)
        db.session.expire_all()

    def _read(self, people: list[Person]) -> None:
        keys: dict[str, list[Any]] = {
            name: [person.columns[name] for person in people if name in person.columns]
            for name in ("username_key", "email_key", "id")
        }
        wanted = sa.or_(sa.false(), *(_TABLE.c[name].in_(values) for name, values in keys.items() if values))
        rows = db.session.execute(sa.select(_TABLE).where(wanted)).mappings().all() if people else ()
        self._accounts = {row["username_key"]: dict(row) for row in rows}
        self._holders = {row["email_key"]: row["id"] for row in self._accounts.values() if row["email_key"]}
        self._ids = {row["id"] for row in self._accounts.values()}
        named = {client_id for person in people for client_id in person.client_roles}
        self._clients = client_roles.existing_clients(named) if named else set()
        self._had_roles = client_roles.of_accounts(self._ids) if named and self._ids else {}

    def _decide(self, person: Person) -> tuple[str, list[str]]:
        existing = self._accounts.get(person.columns["username_key"])
        reasons = [
            f"There is no client {client_id[:40]!r}; make it first."
            for client_id in person.client_roles
            if client_id not in self._clients
        ]
        holder = self._holders.get(person.columns.get("email_key"))
        own_id = existing["id"] if existing else None
        if holder not in (None, own_id) and (existing is None or self._update):
            reasons.append("The e-mail address belongs to another account.")
        sub = person.columns.get("id")
        if existing is not None and sub not in (None, own_id):
            reasons.append("There is an account of this user name with another sub.")
        if existing is None and sub in self._ids:
            reasons.append("There is an account of this sub with another user name.")
        if reasons:
            return "refused", reasons
        if existing is None:
            self._insert(person)
            return "created", []
        if self._update and self._change(person, existing):
            return "updated", []
        return "existing", []

    def _insert(self, person: Person) -> None:
        given = dict(person.columns)
        disabled = given.pop("disabled", False)
        columns: dict[str, Any] = {
            "id": secrets.token_hex(16),
            "email": None,
            "email_key": None,
            "email_verified": False,
            "password_hash": None,
            "claims": person.claims,
            "roles": [],
            "groups": [],
            "disabled_at": self._at if disabled else None,
            "password_changed_at": self._at if "password_hash" in given else None,
            "signed_out_before": None,
            "created_at": self._at,
            "updated_at": self._at,
            "last_login_at": None,
            **given,
        }
        self._inserts.append(columns)
        if columns["email_key"]:
            self._holders[columns["email_key"]] = columns["id"]
        self._ids.add(columns["id"])
        self._roles += [(columns["id"], client_id, roles) for client_id, roles in person.client_roles.items() if roles]

    def _change(self, person: Person, existing: dict[str, Any]) -> bool:
        """Note down what is different from what there was, if anything is."""
        changes = {
            name: value for name, value in person.columns.items() if name not in _KEPT and existing[name] != value
        }
        if "email_key" in changes and "email_verified" not in person.columns:
            changes["email_verified"] = False  # that of another address proves nothing
        claims = {**existing["claims"], **person.claims}
        number = person.claims.get("phone_number")
        if (
            number not in (None, existing["claims"].get("phone_number"))
            and "phone_number_verified" not in person.claims
        ):
            claims.pop("phone_number_verified", None)
        if claims != existing["claims"]:
            changes["claims"] = claims
        if "disabled" in person.columns and person.columns["disabled"] != (existing["disabled_at"] is not None):
            changes["disabled_at"] = self._at if person.columns["disabled"] else None
        stored, given = existing["password_hash"], person.columns.get("password_hash")
        if given not in (None, stored) and (stored is None or not is_ours(stored)):
            # As when a password is set: what was opened before ends.
            changes |= {"password_hash": given, "password_changed_at": self._at, "signed_out_before": self._at}
        had = self._had_roles.get(existing["id"], {})
        roles = [
            (existing["id"], client_id, wanted)
            for client_id, wanted in person.client_roles.items()
            if had.get(client_id, []) != wanted
        ]
        if not changes and not roles:
            return False
        if "email_key" in changes:
            self._holders.pop(existing["email_key"], None)
            self._holders[changes["email_key"]] = existing["id"]
        self._roles += roles
        self._updates.append({"id": existing["id"], "updated_at": self._at, **changes})
        return True
