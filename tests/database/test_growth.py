"""However many people, apps and tokens there are, a request finds its rows by an index: EXPLAIN of every statement that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from benchmarks import growth
from benchmarks.grown_rows import PASSWORD, Sizes
from oidc_server import remembered
from oidc_server.accounts.models import Account
from oidc_server.database import db
from tests import flows
from tests.conftest import API
from tests.flows import Browser
from tests.statements import recorded

SIZES = Sizes(accounts=2_000, clients=200, families=5_000, expired=2_000)
#: To read so many pages is cheaper than to go down an index, and PostgreSQL knows; there it is asked what it would do were there more.
FEW_PAGES = 8
SCOPE = "openid profile photos:read"
#: What is looked up by what, in a request that many make: by these columns, whatever the statement looks like.
LOOKUPS = {
    ("accounts", "username_key"): "sign-in by user name",
    ("accounts", "email_key"): "sign-in by address",
    ("sessions", "cookie_hash"): "the session of a cookie",
    ("token_families", "id"): "refresh, introspection, userinfo, a code that comes twice",
    ("short_lived_values", "key_hash"): "parked requests and codes",
    ("consents", "account_id"): "a remembered consent",
    ("clients", "client_id"): "a client",
    ("client_secrets", "client_id"): "its secrets",
    ("protected_resources", "identifier"): "an API",
}


@pytest.fixture
def server(server: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The usual people and apps among many others; nothing is remembered, so every request reads what it needs."""
    monkeypatch.setattr(remembered, "SECONDS", 0.0)
    with server.app_context():
        growth.seed(db.engine.url, SIZES)
        with db.engine.execution_options(oidc_writing=True).begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    return server


def all_of_it(server: Flask, somebody: Account) -> None:
    """What people and apps do all day, and what they do wrong."""
    for login in (somebody.username, somebody.email):
        Browser(server).sign_in(str(login), PASSWORD)
    alice = Browser(server)
    alice.sign_in("alice")
    alice.obtain_code(scope=SCOPE, resource=API)
    code = alice.obtain_code(scope=SCOPE, resource=API)
    tokens: Any = flows.redeem(server, code).json
    refreshed = flows.refresh(server, tokens["refresh_token"])
    assert refreshed.status_code == 200, refreshed.text
    successor: Any = refreshed.json
    assert flows.introspect(server, successor["access_token"])["active"]
    assert flows.post_as(server, "/introspect", token=successor["refresh_token"]).json["active"]  # type: ignore[index]
    own: Any = alice.obtain_tokens(scope="openid profile")
    assert flows.userinfo(server, own["access_token"]).status_code == 200
    machine = flows.token_request(server, "machine", grant_type="client_credentials", scope="photos:read", resource=API)
    assert machine.status_code == 200
    assert flows.redeem(server, code).status_code == 400
    assert flows.redeem(server, "x" * 46).status_code == 400
    assert flows.post_as(server, "/revoke", token=successor["refresh_token"]).status_code == 200
    alice.submit(alice.get("/logout"), decision="confirm")


def explained(engine: sa.Engine, taken: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each statement that looks for rows, with the database's plan for it."""
    prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        for statement, parameters in taken.items():
            if statement.startswith("INSERT"):
                continue

            def plan(statement: str = statement, parameters: Any = parameters) -> str:
                return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(prefix + statement, parameters))

            found = plan()
            read_whole = re.findall(r"Seq Scan on (\w+)", found)
            if read_whole and all(is_small(connection, name) for name in read_whole):
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                found = plan()
                connection.exec_driver_sql("SET LOCAL enable_seqscan = on")
            yield statement, found


def is_small(connection: sa.Connection, table: str) -> bool:
    return (
        int(connection.scalar(sa.text("select relpages from pg_class where relname = :t"), {"t": table})) <= FEW_PAGES
    )


def reads_a_whole_table(plan: str) -> bool:
    """Whether some step goes through a table, or an index, from end to end: SCAN of SQLite, a scan without condition of PostgreSQL."""
    return any(
        (line.strip().startswith("SCAN") and line.strip() != "SCAN CONSTANT ROW")
        or (re.search(r"\b(Seq|Index|Index Only|Heap) Scan\b", line) and "Cond:" not in next_line)
        for line, next_line in pairwise([*plan.splitlines(), ""])
    )


def finds(plan: str, table: str, column: str) -> bool:
    """Whether a plan goes into an index of this table by this column."""
    on_sqlite = rf"SEARCH {table}(?:_\d+)? USING .*\((?:[^)]* )?{column}=\?"
    on_postgresql = rf"Scan (?:using \w+ )?on {table}\b.*\n\s+Index Cond: .*\b{column}\)?(?:::\w+)? = "
    return re.search(on_sqlite, plan) is not None or re.search(on_postgresql, plan) is not None


@pytest.mark.row("FT-18")
def test_every_statement_of_a_request_finds_its_rows_by_an_index(server: Flask) -> None:
    with server.app_context():
        engine = db.engine
        somebody = db.session.scalars(sa.select(Account).where(Account.username.like("%.7.%"))).one()
    with recorded(engine) as seen:
        all_of_it(server, somebody)
    plans = dict(explained(engine, seen.parameters))
    for statement, plan in plans.items():
        print(statement, plan, sep="\n", end="\n\n")
    assert [f"{statement}\n{plan}" for statement, plan in plans.items() if reads_a_whole_table(plan)] == []
    missing = [what for where, what in LOOKUPS.items() if not any(finds(plan, *where) for plan in plans.values())]
    assert missing == []


def test_what_was_put_there_is_as_much_as_was_asked_for(server: Flask) -> None:
    sizes = {"token_families": 5_000, "short_lived_values": 2_000, "clients": 205, "accounts": 2_002, "sessions": 2_000}
    with server.app_context(), db.engine.connect() as connection:
        found = {name: connection.scalar(sa.text(f"select count(*) from {name}")) for name in sizes}
        assert found == sizes
        checked = sa.inspect(connection)
        for table in db.metadata.sorted_tables:
            assert {index.name for index in table.indexes} <= {one["name"] for one in checked.get_indexes(table.name)}
