"""The schema and how it came about: Alembic revisions, the same on SQLite and PostgreSQL. `flask db upgrade|downgrade|check`."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup


class _Migrations(AppGroup):
    """Loads Alembic when a command is looked for: a server that only serves starts a tenth sooner without it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        from . import commands

        for command in commands.COMMANDS:
            self.add_command(command)


def mount(app: Flask) -> None:
    app.cli.add_command(_Migrations("db", help="The schema of the database."))
