"""The only queries on failures and known devices. All of them change or lock: call them inside database.transact()."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ...database import db, execute, execute_all, now
from ...statements import Statement
from .buckets import Bucket, Count
from .models import KnownDevice, SignInFailures

Table = SignInFailures | KnownDevice

#: Rows kept at most; of a flood of names the smallest and oldest counts go first, never those near a limit.
MAX_ROWS = 200_000
MAX_DEVICES = 20
DEVICE_LIFETIME = 180 * 86400.0


_FAILURES, _DEVICES = cast(sa.Table, SignInFailures.__table__), cast(sa.Table, KnownDevice.__table__)
_OF_ACCOUNT = _DEVICES.c.account_id == sa.bindparam("account_id")
_OF_BROWSER = sa.exists().where(_OF_ACCOUNT, _DEVICES.c.device_hash == sa.bindparam("device_hash"))
_KNOWN_BY = Statement(
    sa.select(_OF_BROWSER, sa.exists().where(_OF_ACCOUNT, _DEVICES.c.network == sa.bindparam("network")))
)
_IS_NEWS = Statement(sa.select(sa.and_(sa.exists().where(_OF_ACCOUNT), sa.not_(_OF_BROWSER))))
_BEYOND = (
    sa.select(_DEVICES.c.device_hash)
    .where(_OF_ACCOUNT)
    .order_by(_DEVICES.c.last_at.desc())
    .offset(sa.bindparam("most", type_=sa.Integer))
)
_FORGET_OLDEST = Statement(sa.delete(_DEVICES).where(_OF_ACCOUNT, _DEVICES.c.device_hash.in_(_BEYOND)))


def lock(buckets: Collection[Bucket]) -> dict[str, Count]:
    """The counts of these buckets, which nobody else can change before the transaction ends.

    Absent rows are made first, in one order for everybody: only a row can be locked, and only order prevents deadlocks.
    """
    at = now()
    empty = [
        {"bucket": key, "failures": 0, "first_at": at, "last_at": at, "expires_at": at}
        for key in sorted(one.key for one in buckets)
    ]
    rows = execute_all(_locking(_dialect(), len(empty)), _numbered(empty))
    return {key: Count(*count) if expires_at > at else Count() for key, *count, expires_at in rows}


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
    execute_all(_saving(_dialect(), len(rows)), _numbered(rows))


def forget(keys: Collection[str]) -> None:
    """Empty buckets."""
    if keys:
        execute_all(_forgetting(len(keys)), _numbered([{"bucket": key} for key in keys]))


def take_one_from(keys: Collection[str]) -> None:
    """Take back one failure that was none."""
    if keys:
        execute_all(_taking(len(keys)), _numbered([{"bucket": key} for key in keys]))


def known_by(account_id: str, device_hash: str, network: str) -> tuple[bool, bool]:
    """Whether the account signed in before from this browser, and from this network."""
    found = execute(_KNOWN_BY, account_id=account_id, device_hash=device_hash, network=network)
    return (bool(found[0]), bool(found[1])) if found is not None else (False, False)


def remember(account_id: str, device_hash: str, network: str) -> None:
    """Know this browser and network from now on; beyond MAX_DEVICES the one unused for longest is forgotten."""
    execute(_remembering(_dialect()), account_id=account_id, device_hash=device_hash, network=network, last_at=now())
    execute(_FORGET_OLDEST, account_id=account_id, most=MAX_DEVICES)


def is_news(account_id: str, device_hash: str) -> bool:
    """Whether the account knows browsers, and not this one."""
    found = execute(_IS_NEWS, account_id=account_id, device_hash=device_hash)
    return found is not None and bool(found[0])


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
    if _dialect() == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True)  # who cleans up waits for nobody, and nobody for it
    return _execute(sa.delete(table).where(sa.tuple_(*table.__table__.primary_key).in_(chosen)))


# Statements of so many buckets, named bucket_0, bucket_1 and so on; made when first needed.


def _numbered(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}_{number}": value for number, row in enumerate(rows) for name, value in row.items()}


@cache
def _locking(dialect: str, count: int) -> Statement:
    touched = _upsert(dialect, count).on_conflict_do_update(
        index_elements=["bucket"], set_={"failures": _FAILURES.c.failures}
    )
    return Statement(touched.returning(*_FAILURES.c))


@cache
def _saving(dialect: str, count: int) -> Statement:
    insert = _upsert(dialect, count)
    changed = {name: insert.excluded[name] for name in ("failures", "first_at", "last_at", "expires_at")}
    return Statement(insert.on_conflict_do_update(index_elements=["bucket"], set_=changed))


def _upsert(dialect: str, count: int) -> Any:
    rows = [
        {column.name: sa.bindparam(f"{column.name}_{number}", type_=column.type) for column in _FAILURES.c}
        for number in range(count)
    ]
    return _INSERT[dialect](_FAILURES).values(rows)


@cache
def _forgetting(count: int) -> Statement:
    return Statement(sa.delete(_FAILURES).where(_is_one_of(count)))


@cache
def _taking(count: int) -> Statement:
    fewer = sa.update(_FAILURES).values(failures=_FAILURES.c.failures - 1)
    return Statement(fewer.where(_is_one_of(count), _FAILURES.c.failures >= 1))


def _is_one_of(count: int) -> sa.ColumnElement[bool]:
    return _FAILURES.c.bucket.in_([sa.bindparam(f"bucket_{number}") for number in range(count)])


@cache
def _remembering(dialect: str) -> Statement:
    insert = _INSERT[dialect](_DEVICES)
    changed = {name: insert.excluded[name] for name in ("network", "last_at")}
    return Statement(insert.on_conflict_do_update(index_elements=["account_id", "device_hash"], set_=changed))


_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def _dialect() -> str:
    return db.engine.dialect.name


def _execute(statement: sa.Delete | sa.Update) -> int:
    done = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(getattr(done, "rowcount", 0))
