"""How people are shown at the terminal, as JSON for programs and in plain lines for the person at it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from . import client_roles, store
from .models import Account


def find(who: str) -> Account:
    """The account of a user name, e-mail address or sub; the command ends with a sentence when there is none."""
    account = store.find_by_login(who) or store.find(who)
    if account is None:
        raise click.ClickException("There is no such account; `flask accounts list` shows them.")
    return account


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def tell(account: Account, sentence: str, password: str | None, as_json: bool) -> None:
    if as_json:
        print_json(described(account) | ({"password": password} if password is not None else {}))
        return
    click.echo(sentence)
    if password is not None:
        click.echo(f"Password, shown this once: {password}")


def print_line(account: Account) -> None:
    marks = [
        *(["disabled"] if not account.is_active else []),
        *(["address not verified"] if account.email and not account.is_verified else []),
        f"last sign-in {_time(account.last_login_at)}" if account.last_login_at else "never signed in",
    ]
    click.echo("  ".join([account.id, account.username, account.email or "-", *marks]))


def print_account(account: Account) -> None:
    shown = described(account)
    width = max(len(name) for name in shown)
    for name, value in shown.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        click.echo(f"{name.ljust(width)}  {text}")


def described(account: Account, at_clients: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """An account for the person who runs the server: everything but the password hash; roles at clients are read unless given."""
    if at_clients is None:
        at_clients = client_roles.of_accounts([account.id]).get(account.id, {})
    return {
        "sub": account.id,
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "claims": account.claims,
        "roles": account.roles,
        "client_roles": at_clients,
        "groups": account.groups,
        "is_active": account.is_active,
        "is_verified": account.is_verified,
        "disabled_at": _time(account.disabled_at),
        "created_at": _time(account.created_at),
        "updated_at": _time(account.updated_at),
        "password_changed_at": _time(account.password_changed_at),
        "last_login_at": _time(account.last_login_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
