"""The schema and how it came about: Alembic revisions, the same on SQLite and PostgreSQL. `flask db upgrade|downgrade|check`."""

from __future__ import annotations

from flask import Flask

from .commands import migration_commands


def mount(app: Flask) -> None:
    app.cli.add_command(migration_commands)
