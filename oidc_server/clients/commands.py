"""`flask clients create|list|show|update|rotate-secret|delete`: what an operator does with applications.

Secrets are made here and printed once; none is ever taken as an argument.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from .. import audit
from ..database import now
from . import command_output, store
from .command_options import changes_of, metadata_options
from .metadata import InvalidMetadata

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

clients = AppGroup("clients", help="Applications that may use this server.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Duration(click.ParamType[float]):
    """A number of seconds, minutes, hours or days: 90s, 15m, 12h, 7d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value))
        if found is None:
            self.fail("write a number and a unit, such as 12h or 7d.", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


@clients.command("create")
@click.option("--client-id", help="Identifier; made up by default.")
@metadata_options
@click.option("--trusted/--not-trusted", default=False, help="A first-party app: people are not asked for consent.")
@as_json_option
def create_command(client_id: str | None, trusted: bool, as_json: bool, **options: Any) -> None:
    """Register an application and print its client_id and, this once, its client_secret."""
    try:
        made = store.create(changes_of(options), client_id=client_id, is_trusted=trusted)
    except InvalidMetadata as error:
        raise click.ClickException(f"{error.error}: {error}") from error
    audit.record(audit.CLIENT_CREATED, client_id=made.client.client_id, trusted=trusted)
    command_output.print_registered(made, as_json, "Registered")


@clients.command("update")
@click.argument("client_id")
@metadata_options
@click.option("--trusted/--not-trusted", default=None, help="Whether people are not asked for consent.")
@click.option("--disable/--enable", "disabled", default=None, help="Switch the application off, or on again.")
@as_json_option
def update_command(client_id: str, trusted: bool | None, disabled: bool | None, as_json: bool, **options: Any) -> None:
    """Change what is registered of CLIENT_ID; what is not named stays. Another --auth-method makes a new secret."""
    changes = changes_of(options)
    try:
        changed = store.update(client_id, changes, is_trusted=trusted, is_disabled=disabled)
    except store.UnknownClient:
        raise _unknown() from None
    except InvalidMetadata as error:
        raise click.ClickException(f"{error.error}: {error}") from error
    audit.record(audit.CLIENT_UPDATED, client_id=client_id, changed=sorted(changes), trusted=trusted)
    if disabled is not None:
        audit.record(audit.CLIENT_DISABLED if disabled else audit.CLIENT_ENABLED, client_id=client_id)
    command_output.print_registered(changed, as_json, "Updated")


@clients.command("list")
@as_json_option
def list_command(as_json: bool) -> None:
    """List the applications."""
    found = store.list_clients()
    if as_json:
        command_output.print_json([command_output.described(client) for client in found])
        return
    for client in found:
        command_output.print_line(client)
    if not found:
        click.echo("No clients yet; `flask clients create --help` says how to register one.")


@clients.command("show")
@click.argument("client_id")
@as_json_option
def show_command(client_id: str, as_json: bool) -> None:
    """Show what is registered of CLIENT_ID, never its secrets."""
    client = store.find(client_id)
    if client is None:
        raise _unknown()
    described = command_output.described(client) | {"secrets": command_output.secrets_of(client)}
    if as_json:
        command_output.print_json(described)
    else:
        command_output.print_table(described)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--old-expires-in",
    type=Duration(),
    default=store.ROTATION_OVERLAP,
    show_default="7d",
    help="How long the secret in use stays good, such as 12h or 7d.",
)
@click.option("--now", "at_once", is_flag=True, help="End the secret in use at once.")
@as_json_option
def rotate_secret_command(client_id: str, old_expires_in: float, at_once: bool, as_json: bool) -> None:
    """Make a second secret for CLIENT_ID and print it this once; the one in use ends later."""
    overlap = 0.0 if at_once else old_expires_in
    try:
        made = store.rotate_secret(client_id, old_expires_in=overlap)
    except store.UnknownClient:
        raise _unknown() from None
    except store.NoSecret:
        raise click.ClickException("This client proves itself without a secret.") from None
    audit.record(audit.CLIENT_SECRET_ROTATED, client_id=client_id, old_expires_in=int(overlap))
    ends = datetime.fromtimestamp(now() + overlap, UTC).strftime("%Y-%m-%d %H:%M UTC")
    note = "The secret before it has ended." if at_once or not overlap else f"The secret before it ends on {ends}."
    command_output.print_registered(made, as_json, "Made a new secret for", note)


@clients.command("delete")
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_command(client_id: str, yes: bool) -> None:
    """Delete CLIENT_ID with its secrets, consents and tokens."""
    if not yes:
        click.confirm(f"Delete {client_id}? Everybody signed in to it is cut off, and it cannot be undone.", abort=True)
    try:
        store.delete(client_id)
    except store.UnknownClient:
        raise _unknown() from None
    audit.record(audit.CLIENT_DELETED, client_id=client_id)
    click.echo(f"Deleted {client_id}.")


def _unknown() -> click.ClickException:
    return click.ClickException("There is no client of that client_id; `flask clients list` shows them all.")
