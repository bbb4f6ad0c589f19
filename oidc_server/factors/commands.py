"""`flask accounts reset-factors WHO`: the last way back for somebody who lost every factor and every recovery code."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from .. import audit
from ..accounts import store as accounts_store
from ..accounts.commands import accounts
from ..database import transact
from . import notices
from .factor import Factor
from .methods import remove_all


@accounts.command("reset-factors")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.confirmation_option("--yes", prompt="Do you know for certain who asks for this?", help="Do not ask.")
def reset_factors_command(who: str, as_json: bool) -> None:
    """Remove the second factors and recovery codes of the account WHO, whose person lost them.

    From then on the password alone opens the account, or lets a new factor be set up where one is required. So make
    sure who asks as carefully as when the account was opened, and set a new password if it may be known to others.
    """
    account = accounts_store.find_by_login(who) or accounts_store.find(who)
    if account is None:
        raise click.ClickException("There is no such account; `flask accounts list` shows them.")

    def remove() -> list[Factor]:
        gone = remove_all(account.id)
        for kind in dict.fromkeys(factor.kind for factor in gone):
            notices.tell_removed(account, kind, network=None, by="command line")
        return gone

    removed = transact(remove)
    audit.record(audit.FACTORS_RESET, account_id=account.id, removed=len(removed), by="command line")
    if as_json:
        click.echo(
            json.dumps({"sub": account.id, "removed": [asdict(factor) for factor in removed]}, ensure_ascii=False)
        )
    else:
        click.echo(f"Removed {len(removed)} second factors of {account.username}.")
