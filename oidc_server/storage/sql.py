"""Short-lived values in one table of the database, keyed by kind and the hash of the key.

put, put_once and take change the caller's transaction (database.transact) and are undone with it.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, db, execute, now
from ..statements import Statement


class ShortLivedValue(Base):
    """One value; `key_hash` is SHA-256, enough for keys of 128 random bits and more."""

    __tablename__ = "short_lived_values"

    kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    key_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
    expires_at: Mapped[float] = mapped_column(index=True)


_TABLE = cast(sa.Table, ShortLivedValue.__table__)
_COLUMNS = _TABLE.c

# Built once: what these cost is mostly their making.
_HERE = (_COLUMNS.kind == sa.bindparam("one_kind"), _COLUMNS.key_hash == sa.bindparam("one_hash"))
_IS_LIVE = _COLUMNS.expires_at > sa.bindparam("at")
_READ = Statement(sa.select(_COLUMNS.value).where(*_HERE, _IS_LIVE))
# One statement decides: of simultaneous takers the database lets exactly one delete the row.
_TAKE = Statement(sa.delete(_TABLE).where(*_HERE, _IS_LIVE).returning(_COLUMNS.value))


def _upsert(module: Any, where: sa.ColumnElement[bool] | None = None) -> Any:
    insert = module.insert(_TABLE)
    replaced = {"value": insert.excluded.value, "expires_at": insert.excluded.expires_at}
    return insert.on_conflict_do_update(index_elements=["kind", "key_hash"], set_=replaced, where=where)


_PUT = {"sqlite": Statement(_upsert(sqlite)), "postgresql": Statement(_upsert(postgresql))}
# An expired row that was not purged yet gives way; a live one does not.
_PUT_ONCE = {
    name: Statement(_upsert(module, _COLUMNS.expires_at <= sa.bindparam("at")).returning(_COLUMNS.kind))
    for name, module in (("sqlite", sqlite), ("postgresql", postgresql))
}


class SqlStorage:
    """The contract of storage.Storage over SQLite and PostgreSQL."""

    def put(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> None:
        execute(_PUT[_dialect()], kind=kind, key_hash=_hash(key), value=value, expires_at=expires_at)

    def put_once(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> bool:
        row = {"kind": kind, "key_hash": _hash(key), "value": value, "expires_at": expires_at}
        return execute(_PUT_ONCE[_dialect()], at=now(), **row) is not None

    def read(self, kind: str, key: str) -> dict[str, Any] | None:
        found = execute(_READ, one_kind=kind, one_hash=_hash(key), at=now())
        return found[0] if found is not None else None

    def take(self, kind: str, key: str) -> dict[str, Any] | None:
        found = execute(_TAKE, one_kind=kind, one_hash=_hash(key), at=now())
        return found[0] if found is not None else None

    def purge(self, limit: int) -> int:
        expired = (
            sa.select(ShortLivedValue.kind, ShortLivedValue.key_hash)
            .where(ShortLivedValue.expires_at <= now())
            .limit(limit)
        )
        if db.engine.dialect.name == "postgresql":
            expired = expired.with_for_update(skip_locked=True)  # two nodes that clean up never wait for each other
        gone = db.session.execute(
            sa.delete(ShortLivedValue).where(sa.tuple_(ShortLivedValue.kind, ShortLivedValue.key_hash).in_(expired)),
            execution_options={"synchronize_session": False},
        )
        return int(getattr(gone, "rowcount", 0))


def _dialect() -> str:
    return db.engine.dialect.name


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
