"""A database as years of use leave it: people, apps, what they hold, and what has expired, put there in bulk.

`python -m benchmarks.growth --database URL` fills one of ours (and makes its tables); `python -m benchmarks --grown 0.1` measures over
a tenth of that. SQLite takes about 25,000 families a second and 1.6 GB of disk for a million of them.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import click
import orjson
import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, DropConstraint

from oidc_server import create_app
from oidc_server.database import db

from .grown_rows import Plan, Row, Sizes, plans

#: Rows of one transaction on SQLite: so many that the journal is no burden, so few that it stays below a gigabyte.
BATCH = 100_000


def seed(url: str | sa.URL, sizes: Sizes) -> dict[str, float]:
    """Fill the tables of a migrated database; answer the seconds that each took. Nobody else should use it meanwhile."""
    engine = sa.create_engine(url)
    took = {}
    try:
        for plan in plans(sizes):
            began = time.monotonic()
            # An index that is made at the end is sorted once; one that grows along is rearranged with every row. So are foreign keys
            # looked at once, where they can be taken away.
            foreign = plan.table.foreign_key_constraints if engine.dialect.name == "postgresql" else set()
            with engine.begin() as connection:
                for index in plan.table.indexes:
                    index.drop(connection)
                for key in foreign:
                    connection.execute(DropConstraint(key))
            try:
                _fill(engine, plan)
            finally:
                with engine.begin() as connection:
                    for index in plan.table.indexes:
                        index.create(connection)
                    for key in foreign:
                        connection.execute(AddConstraint(key, isolate_from_table=False))
            took[plan.table.name] = time.monotonic() - began
        _tidy(engine)
    finally:
        engine.dispose()
    return took


def _fill(engine: sa.Engine, plan: Plan) -> None:
    encode = _encoder(plan.table)
    put = _put_sqlite if engine.dialect.name == "sqlite" else _put_postgresql
    raw = engine.raw_connection()
    try:
        with click.progressbar(length=plan.count, label=f"{plan.table.name:>20}", file=sys.stderr) as bar:
            put(raw.driver_connection, plan.table, _batches(map(encode, plan.rows), bar))
    finally:
        raw.close()


def _batches(rows: Iterator[tuple[Any, ...]], bar: Any) -> Iterator[list[tuple[Any, ...]]]:
    while batch := list(islice(rows, BATCH // 10)):
        yield batch
        bar.update(len(batch))


def _put_sqlite(connection: Any, table: sa.Table, batches: Iterable[list[tuple[Any, ...]]]) -> None:
    assert isinstance(connection, sqlite3.Connection)
    # A power loss in here costs a database that nobody uses yet. The indexes that stay are kept in 1 GB of memory.
    for pragma in ("synchronous=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    insert = f"INSERT INTO {table.name} ({_names(table)}) VALUES ({', '.join('?' * len(table.columns))})"
    for number, batch in enumerate(batches, 1):
        connection.executemany(insert, batch)
        if number % 10 == 0:
            connection.commit()
    connection.commit()


def _put_postgresql(connection: Any, table: sa.Table, batches: Iterable[list[tuple[Any, ...]]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table.name} ({_names(table)}) FROM STDIN") as copy:
        for batch in batches:
            for row in batch:
                copy.write_row(row)
    connection.commit()


def _names(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _encoder(table: sa.Table) -> Callable[[Row], tuple[Any, ...]]:
    """From a row by names to a tuple in the order of the table's columns, JSON as text."""
    columns = [(column.name, isinstance(column.type, sa.JSON)) for column in table.columns]

    def encode(row: Row) -> tuple[Any, ...]:
        return tuple(
            orjson.dumps(row[name]).decode() if is_json and row.get(name) is not None else row.get(name)
            for name, is_json in columns
        )

    return encode


def _tidy(engine: sa.Engine) -> None:
    """What databases and disks do by themselves sooner or later, now and not during a measurement."""
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for sql in ("PRAGMA wal_checkpoint(TRUNCATE)",) if is_sqlite else ("VACUUM (ANALYZE)", "CHECKPOINT"):
            connection.exec_driver_sql(sql)
    if is_sqlite and engine.url.database:
        # Else the first commit of a server would wait for a gigabyte that was never synchronised.
        file = os.open(engine.url.database, os.O_RDWR)
        os.fsync(file)
        os.close(file)


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option(
    "--database", "url", required=True, help="As in OIDC_DATABASE_URL, for example sqlite:////tmp/grown.sqlite3."
)
@click.option("--accounts", default=Sizes.accounts, show_default=True)
@click.option("--clients", default=Sizes.clients, show_default=True)
@click.option("--families", default=Sizes.families, show_default=True, help="Refresh tokens, one to a family.")
@click.option("--expired", default=Sizes.expired, show_default=True, help="Expired short-lived values.")
def main(url: str, **sizes: int) -> None:
    """Make the tables where they are missing, and fill them."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            environment="testing",
            issuer="https://id.example.test",
            database_url=url,
            keys_dir=folder,
            secret_key="of no use: " + "0123456789abcdef" * 3,
        )
        migrated = app.test_cli_runner().invoke(args=["db", "upgrade"])
        if migrated.exit_code:
            sys.exit(migrated.output)
        with app.app_context():
            found = db.engine.url
            db.engine.dispose()
    took = seed(found, Sizes(**sizes))
    for name, seconds in took.items():
        click.echo(f"{name:>20} {seconds:8.1f} s")


if __name__ == "__main__":
    main()
