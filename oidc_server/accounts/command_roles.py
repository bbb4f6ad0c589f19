"""`flask accounts grant|revoke`: roles and groups, everywhere or at one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import audit
from . import roles
from .claims import ClaimRefused
from .command_output import find, tell
from .commands import accounts
from .models import Account

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option(
            "--client", "client_id", help="The roles are for this client_id alone; without it, for every app."
        ),
        click.option("--group", "groups", multiple=True, help="A group; may be repeated."),
        click.option("--role", "role_names", multiple=True, help="A role; may be repeated."),
        click.argument("who"),
    ):
        command = option(command)
    return command


@accounts.command("grant")
@_options
def grant_command(
    who: str, role_names: tuple[str, ...], groups: tuple[str, ...], client_id: str | None, as_json: bool
) -> None:
    """Give the account WHO roles and groups; the next tokens say so."""
    account = _change(roles.grant, who, role_names, groups, client_id)
    audit.record(audit.ROLES_GRANTED, **_fact(account, role_names, groups, client_id))
    tell(account, f"Granted; {account.username} has it in the next tokens.", None, as_json)


@accounts.command("revoke")
@_options
def revoke_command(
    who: str, role_names: tuple[str, ...], groups: tuple[str, ...], client_id: str | None, as_json: bool
) -> None:
    """Take roles and groups away from the account WHO; tokens that are out say them until they end."""
    account = _change(roles.revoke, who, role_names, groups, client_id)
    audit.record(audit.ROLES_REVOKED, **_fact(account, role_names, groups, client_id))
    tell(account, "Revoked; tokens that are out say it until they end.", None, as_json)


def _change(
    change: Callable[..., Account],
    who: str,
    role_names: tuple[str, ...],
    groups: tuple[str, ...],
    client_id: str | None,
) -> Account:
    if not role_names and not groups:
        raise click.UsageError("Say which: --role and --group, each as often as needed.")
    if client_id is not None and groups:
        raise click.UsageError("Groups are the same for every app; --client is for roles.")
    try:
        return change(find(who).id, roles=role_names, groups=groups, client_id=client_id)
    except ClaimRefused as error:
        raise click.ClickException(str(error)) from error


def _fact(
    account: Account, role_names: tuple[str, ...], groups: tuple[str, ...], client_id: str | None
) -> dict[str, Any]:
    found = {"account_id": account.id, "client_id": client_id, "roles": role_names, "groups": groups}
    return {name: value for name, value in found.items() if value} | {"by": "command line"}
