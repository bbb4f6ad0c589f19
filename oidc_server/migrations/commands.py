"""`flask db upgrade|downgrade|check`."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.cli import AppGroup
from sqlalchemy.engine import Connection

from ..database import Base, db

migration_commands = AppGroup("db", help="The schema of the database.")

# Two nodes that start at once migrate one after the other (PostgreSQL advisory lock; any fixed number).
_LOCK = 7203955441


@migration_commands.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest by default)."""
    _migrate(lambda config: command.upgrade(config, revision))
    click.echo(f"The schema is at {current_revision() or 'the beginning'}.")


@migration_commands.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION, or `base` for an empty database."""
    _migrate(lambda config: command.downgrade(config, revision))
    click.echo(f"The schema is at {current_revision() or 'the beginning'}.")


@migration_commands.command()
def check() -> None:
    """Say whether the schema is the one this version needs; exit with 1 if it is not."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        found, wanted = context.get_current_revision(), head()
        if found != wanted:
            raise click.ClickException(
                f"The schema is at {found or 'the beginning'}, this version needs {wanted}; run `flask db upgrade`."
            )
        if differences := compare_metadata(context, Base.metadata):
            raise click.ClickException("The schema differs from the models: " + "; ".join(map(str, differences)))
    click.echo(f"The schema is at {found}, as this version needs it.")


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
    # A writer from the start: SQLite then makes a second migrator wait, and a killed one leaves nothing half done.
    with db.engine.connect().execution_options(oidc_writing=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _attach(config, connection)
        run(config)


def _attach(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _is_ours(name: str | None, type_: str, parent_names: object) -> bool:
    return type_ != "table" or name in Base.metadata.tables
