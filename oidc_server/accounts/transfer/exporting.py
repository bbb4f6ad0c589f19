"""Everybody in lines that an import reads again, page by page in the order of the user names."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, TextIO, cast

import sqlalchemy as sa

from ...database import db, let_go
from .. import client_roles
from ..models import Account
from .columns import CLAIMS, COLUMNS, to_text, written_time

_PAGE = 500
_TABLE = cast(sa.Table, Account.__table__)


def export_people(file: TextIO, form: str, *, with_hashes: bool = False) -> int:
    """Write everybody, and return how many they were. Password hashes are secrets, and only written when asked for."""
    columns = [name for name in COLUMNS if with_hashes or name != "password_hash"]
    table = csv.writer(file, lineterminator="\n")
    if form == "csv":
        table.writerow(columns)
    written = 0
    for person in _everybody(columns):
        if form == "csv":
            table.writerow([to_text(name, person.get(name)) for name in columns])
        else:
            file.write(json.dumps(person, ensure_ascii=False) + "\n")
        written += 1
    return written


def _everybody(columns: list[str]) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = sa.select(_TABLE).where(_TABLE.c.username_key > after).order_by(_TABLE.c.username_key).limit(_PAGE)
        rows = db.session.execute(page).mappings().all()
        at_clients = client_roles.of_accounts(row["id"] for row in rows)
        # Ends the snapshot: a long export holds back neither writers nor the cleaning up after them.
        let_go()
        for row in rows:
            said = _said(row) | {"client_roles": at_clients.get(row["id"])}
            yield {name: said[name] for name in columns if said.get(name) not in (None, "", [], {})}
        if len(rows) < _PAGE:
            return
        after = rows[-1]["username_key"]


def _said(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "username": row["username"],
        "email": row["email"],
        "email_verified": row["email_verified"] if row["email"] else None,
        **{name: row["claims"].get(name) for name in CLAIMS},
        "roles": row["roles"],
        "groups": row["groups"],
        "disabled": True if row["disabled_at"] is not None else None,
        "created_at": written_time(row["created_at"]),
        "sub": row["id"],
        "password_hash": row["password_hash"],
    }
