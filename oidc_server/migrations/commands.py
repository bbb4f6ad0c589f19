"""`flask db upgrade|downgrade|check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask.cli import with_appcontext
from sqlalchemy.engine import Connection

from ..database import Base, db

# Two nodes that start at once migrate one after the other (PostgreSQL advisory lock; any fixed number).
_LOCK = 7203955441
#: Seconds that a migration waits for the one before it; PostgreSQL waits without end.
_PATIENCE = 600


@click.command()
@click.argument("revision", default="head")
@with_appcontext
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest by default)."""
    _migrate(lambda config: command.upgrade(config, revision))
    click.echo(f"The schema is at {current_revision() or 'the beginning'}.")


@click.command()
@click.argument("revision")
@with_appcontext
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION, or `base` for an empty database."""
    _migrate(lambda config: command.downgrade(config, revision))
    click.echo(f"The schema is at {current_revision() or 'the beginning'}.")


@click.command()
@with_appcontext
def check() -> None:
    """Say whether the schema is the one this version needs; exit with 1 if it is not."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        found, wanted = context.get_current_revision(), head()
        _require_known(found)
        if found != wanted:
            raise click.ClickException(
                f"The schema is at {found or 'the beginning'}, this version needs {wanted}; run `flask db upgrade`."
            )
        if differences := compare_metadata(context, Base.metadata):
            raise click.ClickException("The schema differs from the models: " + "; ".join(map(str, differences)))
    click.echo(f"The schema is at {found}, as this version needs it.")


COMMANDS = (upgrade, downgrade, check)


def head() -> str | None:
    """The newest revision."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision() -> str | None:
    """The revision of the database."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _migrate(run: object) -> None:
    assert callable(run)
    config = _config()
    with db.engine.connect().execution_options(oidc_writing=True) as connection:
        driver: Any = connection.connection.driver_connection
        connection.detach()  # no request will meet the patience that a migration needs
        is_postgresql = connection.dialect.name == "postgresql"
        if is_postgresql:
            driver.patience = None
        else:
            driver.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")
        # A writer from the start: SQLite then makes a second migrator wait, and a killed one leaves nothing half done.
        with connection.begin():
            if is_postgresql:
                connection.execute(sa.text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _require_known(MigrationContext.configure(connection).get_current_revision())
            _attach(config, connection)
            try:
                run(config)
            except CommandError as error:  # such as a REVISION that does not exist
                raise click.ClickException(str(error)) from error


def _require_known(revision: str | None) -> None:
    """Refuse a database that a newer version has migrated: nobody here knows the way from there."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise click.ClickException(
            f"The schema is at {revision}, which this version does not know. A newer version made it: run that one, or "
            f"have it take the schema back with `flask db downgrade {head()}`."
        )


def _attach(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _is_ours(name: str | None, type_: str, parent_names: object) -> bool:
    return type_ != "table" or name in Base.metadata.tables
