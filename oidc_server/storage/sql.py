"""Short-lived values in one table of the database, keyed by kind and the hash of the key.

put, put_once and take change the caller's transaction (database.transact) and are undone with it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, db, now


class ShortLivedValue(Base):
    """One value; `key_hash` is SHA-256, enough for keys of 128 random bits and more."""

    __tablename__ = "short_lived_values"

    kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    key_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
    expires_at: Mapped[float] = mapped_column(index=True)


_TABLE = ShortLivedValue.__table__


class SqlStorage:
    """The contract of storage.Storage over SQLite and PostgreSQL."""

    def put(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> None:
        insert = _insert().values(kind=kind, key_hash=_hash(key), value=value, expires_at=expires_at)
        db.session.execute(
            insert.on_conflict_do_update(
                index_elements=["kind", "key_hash"],
                set_={"value": insert.excluded.value, "expires_at": insert.excluded.expires_at},
            )
        )

    def put_once(self, kind: str, key: str, value: dict[str, Any], expires_at: float) -> bool:
        insert = _insert().values(kind=kind, key_hash=_hash(key), value=value, expires_at=expires_at)
        # An expired row that was not purged yet gives way; a live one does not.
        put = insert.on_conflict_do_update(
            index_elements=["kind", "key_hash"],
            set_={"value": insert.excluded.value, "expires_at": insert.excluded.expires_at},
            where=ShortLivedValue.expires_at <= now(),
        ).returning(ShortLivedValue.kind)
        return db.session.execute(put).first() is not None

    def read(self, kind: str, key: str) -> dict[str, Any] | None:
        return db.session.scalar(sa.select(ShortLivedValue.value).where(*_is_live(kind, key)))

    def take(self, kind: str, key: str) -> dict[str, Any] | None:
        # One statement decides: of simultaneous takers the database lets exactly one delete the row.
        return db.session.scalar(
            sa.delete(ShortLivedValue).where(*_is_live(kind, key)).returning(ShortLivedValue.value)
        )

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


def _insert() -> Any:
    module = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    return module.insert(_TABLE)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _is_live(kind: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return ShortLivedValue.kind == kind, ShortLivedValue.key_hash == _hash(key), ShortLivedValue.expires_at > now()
