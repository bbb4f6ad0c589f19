"""`flask accounts sign-out`: end what people have open, for one of them or for everybody, as after restoring a backup."""

from __future__ import annotations

import json

import click

from .. import sessions
from ..accounts import store
from ..accounts.commands import accounts
from ..database import transact
from ..tokens import families

# Rows that one transaction changes: short enough that no request waits for it.
_BATCH = 500


@accounts.command("sign-out")
@click.argument("who", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody, as after restoring a backup.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sign_out_command(who: str | None, everybody: bool, as_json: bool) -> None:
    """Sign the account WHO out of every browser and app, or everybody with --all.

    Sessions, refresh tokens and codes end, offline_access included; people sign in again with the password they have. APIs that check
    access tokens by their signature alone accept them until they expire; `flask keys rotate --emergency` ends those too.
    """
    if (who is None) != everybody:
        raise click.UsageError("Name an account, or give --all.")
    account_id = None
    if who is not None:
        account = store.find_by_login(who) or store.find(who)
        if account is None:
            raise click.ClickException("There is no such account; `flask accounts list` shows them.")
        account_id = account.id
        store.sign_out(account_id)
    else:
        store.sign_out_everybody()
    # With that everything has ended, codes too; each session and grant is now ended by name, for the audit log.
    ended = {"sessions": _end_sessions(account_id), "grants": _end_families(account_id)}
    if as_json:
        click.echo(json.dumps(ended))
    else:
        click.echo(f"Ended {ended['sessions']} sessions and {ended['grants']} grants of {who or 'everybody'}.")


def _end_sessions(account_id: str | None) -> int:
    total = 0
    while ended := transact(lambda: sessions.store.end_of(account_id, _BATCH)):
        total += ended
    return total


def _end_families(account_id: str | None) -> int:
    total, after = 0, ""
    while ended := transact(lambda after=after: families.revoke_of(account_id, after, _BATCH)):  # type: ignore[misc]
        total, after = total + len(ended), ended[-1]
    return total
