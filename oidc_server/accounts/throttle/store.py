"""The only queries on failures and known devices. All of them change or lock: call them inside database.transact()."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ...database import db, now
from .buckets import Bucket, Count
from .models import KnownDevice, SignInFailures

Table = SignInFailures | KnownDevice

#: Rows kept at most; of a flood of names the smallest and oldest counts go first, never those near a limit.
MAX_ROWS = 200_000
MAX_DEVICES = 20
DEVICE_LIFETIME = 180 * 86400.0


def lock(buckets: Collection[Bucket]) -> dict[str, Count]:
    """The counts of these buckets, which nobody else can change before the transaction ends.

    Absent rows are made first, in one order for everybody: only a row can be locked, and only order prevents deadlocks.
    """
    at = now()
    empty = [
        {"bucket": key, "failures": 0, "first_at": at, "last_at": at, "expires_at": at}
        for key in sorted(one.key for one in buckets)
    ]
    insert = _insert(SignInFailures).values(empty)
    touched = insert.on_conflict_do_update(
        index_elements=["bucket"], set_={"failures": SignInFailures.failures}
    ).returning(
        *(SignInFailures.bucket, SignInFailures.failures, SignInFailures.first_at, SignInFailures.last_at),
        SignInFailures.expires_at,
    )
    rows = db.session.execute(touched).all()
    return {row.bucket: Count(*row[1:4]) if row.expires_at > at else Count() for row in rows}


def save(counts: Mapping[Bucket, Count]) -> None:
    """Write the counts of locked buckets."""
    rows = [
        {
            "bucket": bucket.key,
            "failures": count.failures,
            "first_at": count.first_at,
            "last_at": count.last_at,
            "expires_at": count.last_at + bucket.kind.lifetime(count),
        }
        for bucket, count in sorted(counts.items(), key=lambda item: item[0].key)
    ]
    insert = _insert(SignInFailures).values(rows)
    names = ("failures", "first_at", "last_at", "expires_at")
    db.session.execute(
        insert.on_conflict_do_update(
            index_elements=["bucket"], set_={name: getattr(insert.excluded, name) for name in names}
        )
    )


def forget(keys: Collection[str]) -> None:
    """Empty buckets."""
    _execute(sa.delete(SignInFailures).where(SignInFailures.bucket.in_(keys)))


def take_one_from(keys: Collection[str]) -> None:
    """Take back one failure that was none."""
    if keys:
        fewer = sa.update(SignInFailures).values(failures=SignInFailures.failures - 1)
        _execute(fewer.where(SignInFailures.bucket.in_(keys), SignInFailures.failures >= 1))


def known_by(account_id: str, device_hash: str, network: str) -> tuple[bool, bool]:
    """Whether the account signed in before from this browser, and from this network."""
    rows = db.session.execute(
        sa.select(KnownDevice.device_hash, KnownDevice.network).where(
            KnownDevice.account_id == account_id,
            sa.or_(KnownDevice.device_hash == device_hash, KnownDevice.network == network),
        )
    ).all()
    return any(row.device_hash == device_hash for row in rows), any(row.network == network for row in rows)


def remember(account_id: str, device_hash: str, network: str) -> None:
    """Know this browser and network from now on; beyond MAX_DEVICES the one unused for longest is forgotten."""
    insert = _insert(KnownDevice).values(account_id=account_id, device_hash=device_hash, network=network, last_at=now())
    db.session.execute(
        insert.on_conflict_do_update(
            index_elements=["account_id", "device_hash"],
            set_={"network": insert.excluded.network, "last_at": insert.excluded.last_at},
        )
    )
    others = sa.select(KnownDevice.device_hash).where(KnownDevice.account_id == account_id)
    beyond = others.order_by(KnownDevice.last_at.desc()).offset(MAX_DEVICES)
    _execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account_id, KnownDevice.device_hash.in_(beyond)))


def is_news(account_id: str, device_hash: str) -> bool:
    """Whether the account knows browsers, and not this one."""
    known = db.session.scalars(sa.select(KnownDevice.device_hash).where(KnownDevice.account_id == account_id)).all()
    return bool(known) and device_hash not in known


def devices_of(account_id: str) -> Sequence[KnownDevice]:
    """The browsers that an account is known by, the one used last first."""
    query = sa.select(KnownDevice).where(KnownDevice.account_id == account_id)
    return db.session.scalars(query.order_by(KnownDevice.last_at.desc())).all()


def forget_devices(account_id: str) -> None:
    """Know no browser of this account any more."""
    _execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account_id))


def purge(limit: int) -> int:
    """Delete up to `limit` rows of no use: expired counts, counts beyond MAX_ROWS, devices unused for half a year."""
    counts = sa.select(SignInFailures.bucket)
    gone = _delete_rows(SignInFailures, counts.where(SignInFailures.expires_at <= now()), limit)
    excess = (db.session.scalar(sa.select(sa.func.count()).select_from(SignInFailures)) or 0) - MAX_ROWS
    if excess > 0:
        least = counts.order_by(SignInFailures.failures, SignInFailures.last_at)
        gone += _delete_rows(SignInFailures, least, min(excess, limit))
    devices = sa.select(KnownDevice.account_id, KnownDevice.device_hash)
    return gone + _delete_rows(KnownDevice, devices.where(KnownDevice.last_at < now() - DEVICE_LIFETIME), limit)


def _delete_rows(table: type[Table], which: sa.Select[*tuple[Any, ...]], limit: int) -> int:
    chosen = which.limit(limit)
    if db.engine.dialect.name == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True)  # who cleans up waits for nobody, and nobody for it
    return _execute(sa.delete(table).where(sa.tuple_(*table.__table__.primary_key).in_(chosen)))


def _insert(table: type[Table]) -> Any:
    module = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    return module.insert(table)


def _execute(statement: sa.Delete | sa.Update) -> int:
    done = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(getattr(done, "rowcount", 0))
