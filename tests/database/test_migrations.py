"""FT-17: the schema goes up and down on both databases, wholly or not at all, and one that is not ours to use is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from oidc_server.database import Base, db
from oidc_server.migrations.commands import _LOCK, current_revision, head

from ..conftest import settings_for
from ..live import ROOT, SECRET_KEY

MakeServer = Callable[..., Flask]

# Upgrades, and kills itself after the given number of statements that create something.
_KILLED = """
import json, os, signal, sys
from sqlalchemy import event
from oidc_server import create_app, database

settings, statements = json.loads(sys.argv[1])
app = create_app(**settings)
done = 0

def after(connection, cursor, statement, *rest):
    global done
    done += statement.lstrip().upper().startswith("CREATE TABLE")
    if done == statements:
        os.write(1, b"killed")
        os.kill(os.getpid(), signal.SIGKILL)

with app.app_context():
    event.listen(database.db.engine, "after_cursor_execute", after)
app.test_cli_runner().invoke(args=["db", "upgrade"])
"""


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["db", *arguments])


def tables(app: Flask) -> set[str]:
    with app.app_context():
        return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def write_revision(app: Flask, revision: str) -> None:
    with app.app_context(), db.engine.execution_options(oidc_writing=True).begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = :revision"), {"revision": revision})


def test_the_schema_goes_up_down_to_nothing_and_up_again(make_server: MakeServer) -> None:
    app = make_server()
    for _ in range(2):
        up = run(app, "upgrade")
        assert (up.exit_code, up.output) == (0, f"The schema is at {head()}.\n")
        assert tables(app) == set(Base.metadata.tables)
        assert run(app, "check").output == f"The schema is at {head()}, as this version needs it.\n"
        down = run(app, "downgrade", "base")
        assert (down.exit_code, down.output) == (0, "The schema is at the beginning.\n")
        assert tables(app) == set()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(make_server: MakeServer) -> None:
    app = make_server()
    assert run(app, "upgrade").exit_code == 0
    with app.app_context(), db.engine.execution_options(oidc_writing=True).begin() as connection:
        connection.execute(sa.text("insert into short_lived_values values ('kind', 'hash', '{}', 1)"))
    assert run(app, "upgrade").exit_code == 0
    with app.app_context():
        assert db.session.scalar(sa.text("select count(*) from short_lived_values")) == 1


def test_families_stay_when_they_no_longer_remember_their_code(make_server: MakeServer) -> None:
    app = make_server()
    assert run(app, "upgrade", "0003").exit_code == 0
    with app.app_context(), db.engine.execution_options(oidc_writing=True).begin() as connection:
        connection.execute(
            sa.text(
                "insert into accounts (id, username, username_key, email_verified, claims, roles, groups, "
                "created_at, updated_at) values ('alice', 'alice', 'alice', false, '{}', '[]', '[]', 1, 1)"
            )
        )
        # Everything that 0003 does not let be NULL.
        connection.execute(
            sa.text(
                "insert into clients (client_id, client_name, token_endpoint_auth_method, grant_types, "
                "response_types, redirect_uris, post_logout_redirect_uris, scope, id_token_signed_response_alg, contacts, "
                "require_auth_time, is_trusted, metadata_extra, created_at, updated_at) values "
                "('web', 'Web', 'none', '[]', '[]', '[]', '[]', '', 'RS256', '[]', false, false, '{}', 1, 1)"
            )
        )
        connection.execute(
            sa.text(
                'insert into token_families (id, client_id, account_id, "authorization", created_at, '
                "expires_at, code_hash, refresh_generation, refresh_hash) values "
                "('old', 'web', 'alice', '{}', 1, 2, 'hash', 7, 'refresh')"
            )
        )
    for revision in ("0004", "0003", "0004"):
        moved = run(app, "upgrade" if revision == "0004" else "downgrade", revision)
        assert moved.exit_code == 0, moved.output
        with app.app_context():
            kept = db.session.execute(sa.text("select id, refresh_generation, refresh_hash from token_families")).all()
            indexes = {index["name"] for index in sa.inspect(db.engine).get_indexes("token_families")}
        assert [tuple(row) for row in kept] == [("old", 7, "refresh")]
        assert indexes >= {
            f"ix_token_families_{name}" for name in ("account_id", "client_id", "expires_at", "session_sid")
        }
    assert run(app, "check").exit_code == 0


@pytest.mark.row("FT-17")
def test_a_database_that_was_not_migrated_is_named_with_what_to_do(make_server: MakeServer) -> None:
    result = run(make_server(), "check")
    assert result.exit_code == 1
    assert (
        result.output
        == f"Error: The schema is at the beginning, this version needs {head()}; run `flask db upgrade`.\n"
    )


@pytest.mark.row("FT-17")
def test_a_column_that_the_models_do_not_have_is_found(make_server: MakeServer) -> None:
    app = make_server()
    run(app, "upgrade")
    with app.app_context(), db.engine.execution_options(oidc_writing=True).begin() as connection:
        connection.execute(sa.text("alter table accounts add column surprise integer"))
    result = run(app, "check")
    assert result.exit_code == 1
    assert "surprise" in result.output


@pytest.mark.row("FT-17")
@pytest.mark.parametrize("arguments", [["check"], ["upgrade"], ["downgrade", "base"]])
def test_a_schema_of_a_newer_version_is_refused_in_a_sentence_and_left_alone(
    make_server: MakeServer, arguments: list[str]
) -> None:
    app = make_server()
    run(app, "upgrade")
    write_revision(app, "9999")
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The schema is at 9999, which this version does not know. A newer version")
    with app.app_context():
        assert current_revision() == "9999"
    assert tables(app) == set(Base.metadata.tables)


def test_a_revision_that_does_not_exist_is_refused_in_a_sentence(make_server: MakeServer) -> None:
    app = make_server()
    result = run(app, "upgrade", "7777")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "7777" in result.output
    assert tables(app) == set()


@pytest.mark.row("FT-17")
@pytest.mark.parametrize("statements", [5, len(Base.metadata.tables)])
def test_a_migration_killed_in_the_middle_leaves_nothing_half_done(
    make_server: MakeServer, tmp_path: Path, database_url: str, statements: int
) -> None:
    app = make_server()
    settings = settings_for(tmp_path, database_url=database_url)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, json.dumps([settings, statements])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.stdout == "killed", killed.stderr
    assert killed.returncode == -9
    assert tables(app) == set()
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").exit_code == 0


@pytest.mark.row("FT-17")
def test_a_migration_waits_for_the_one_before_it_longer_than_any_request_would(
    make_server: MakeServer, database_url: str
) -> None:
    app = make_server(database_timeout=0.3)
    with app.app_context():
        engine = db.engine.execution_options(oidc_writing=True)
    with engine.connect() as first, first.begin():
        if database_url.startswith("postgresql"):
            first.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        else:
            first.execute(sa.text("select 1"))
        results: list[Result] = []
        second = threading.Thread(target=lambda: results.append(run(app, "upgrade")))
        second.start()
        second.join(1.2)
        assert second.is_alive(), results
    second.join(20)
    assert results[0].exit_code == 0, results[0].output


@pytest.mark.row("FT-17", "FT-24")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_server_does_not_start_over_a_schema_of_a_newer_version(
    make_server: MakeServer, tmp_path: Path, database_url: str
) -> None:
    app = make_server()
    run(app, "upgrade")
    write_revision(app, "9999")
    settings = {"environment": "testing", "secret_key": SECRET_KEY, "database_url": database_url}
    environ = {f"OIDC_{name.upper()}": value for name, value in settings.items()}
    started = subprocess.run(
        [sys.executable, "-m", "oidc_server.serve"],
        env={**os.environ, **environ, "OIDC_KEYS_DIR": str(tmp_path / "keys")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 1
    assert "The schema is at 9999" in started.stderr
    assert "nothing was started" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_migration_leaves_other_schemas_of_the_same_server_alone(make_server: MakeServer, database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as neighbour:
        neighbour.execute("create table photos (id integer)")
    app = make_server()
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").exit_code == 0
    assert run(app, "downgrade", "base").exit_code == 0
    assert tables(app) == {"photos"}
