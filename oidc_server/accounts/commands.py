"""`flask accounts create|list|show|disable|enable|set-password`; passwords are read or made, never arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

import click
from flask.cli import AppGroup

from .. import audit
from . import client_roles, passwords, store
from .claims import ClaimRefused
from .command_output import described, find, print_account, print_json, print_line, tell
from .identifiers import IdentifierRefused
from .password_policy import PasswordRefused

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

accounts = AppGroup("accounts", help="People: their accounts and passwords.")

# Claims that are one text each; the others (address, phone_number_verified) are written in --claims-file.
_TEXT_CLAIMS = (
    *("name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website"),
    *("gender", "birthdate", "zoneinfo", "locale", "phone_number"),
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _claim_options(command: F) -> F:
    for name in reversed(_TEXT_CLAIMS):
        command = click.option(f"--{name.replace('_', '-')}", name, help=f"The claim {name}.")(command)
    return command


def _password_options(command: F) -> F:
    made = click.option("--generate-password", is_flag=True, help="Make a password and print it once.")(command)
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")(made)


@accounts.command("create")
@click.option("--username", required=True, help="Name to sign in with: letters, digits, and . _ - between them.")
@click.option("--email", help="E-mail address, which can be signed in with as well.")
@click.option("--email-verified", is_flag=True, help="The address is known to be this person's.")
@_claim_options
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group; may be repeated.")
@click.option(
    "--claims-file", type=click.File("r", "utf-8"), help="JSON object of standard claims, - for standard input."
)
@_password_options
@_as_json
def create_command(
    username: str,
    email: str | None,
    email_verified: bool,
    roles: tuple[str, ...],
    groups: tuple[str, ...],
    claims_file: TextIO | None,
    password_stdin: bool,
    generate_password: bool,
    as_json: bool,
    **text_claims: str | None,
) -> None:
    """Create an account. Without a password option the password is asked for twice."""
    if password_stdin and claims_file is sys.stdin:
        raise click.UsageError("Standard input holds either the password or the claims, not both.")
    claims = _read_claims(claims_file) | {name: text for name, text in text_claims.items() if text is not None}
    password = _obtain_password(password_stdin, generate_password)
    account = _said_plainly(
        lambda: store.create(
            username, password, email=email, email_verified=email_verified, claims=claims, roles=roles, groups=groups
        )
    )
    audit.record(audit.ACCOUNT_CREATED, account_id=account.id, by="command line")
    tell(account, f"Created {account.username}, sub {account.id}.", password if generate_password else None, as_json)


@accounts.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option("--after", default="", help="Begin after this user name, to see the next ones.")
@_as_json
def list_command(limit: int, after: str, as_json: bool) -> None:
    """List accounts in the order of their user names."""
    found = store.list_accounts(limit=limit, after=after)
    if as_json:
        at_clients = client_roles.of_accounts(account.id for account in found)
        print_json([described(account, at_clients.get(account.id, {})) for account in found])
        return
    for account in found:
        print_line(account)
    if not found:
        click.echo("No accounts; `flask accounts create --help` says how to make one.")
    elif len(found) == limit:
        click.echo(f"There may be more: --after {found[-1].username}")


@accounts.command("show")
@click.argument("who")
@_as_json
def show_command(who: str, as_json: bool) -> None:
    """Show the account WHO, a user name, e-mail address or sub."""
    account = find(who)
    if as_json:
        print_json(described(account))
    else:
        print_account(account)


@accounts.command("disable")
@click.argument("who")
@_as_json
def disable_command(who: str, as_json: bool) -> None:
    """Switch the account WHO off: nobody signs in to it, and all its sessions and tokens are dead."""
    account = store.disable(find(who).id)
    audit.record(audit.ACCOUNT_DISABLED, account_id=account.id, by="command line")
    tell(account, f"Disabled {account.username}; sessions and tokens of the account are dead.", None, as_json)


@accounts.command("enable")
@click.argument("who")
@_as_json
def enable_command(who: str, as_json: bool) -> None:
    """Switch the account WHO on again, and let it sign in from anywhere if guessing had closed it."""
    account = store.enable(find(who).id)
    audit.record(audit.ACCOUNT_ENABLED, account_id=account.id, by="command line")
    tell(account, f"Enabled {account.username}.", None, as_json)


@accounts.command("set-password")
@click.argument("who")
@_password_options
@_as_json
def set_password_command(who: str, password_stdin: bool, generate_password: bool, as_json: bool) -> None:
    """Set the password of the account WHO; its sessions and refresh tokens end."""
    account = find(who)
    password = _obtain_password(password_stdin, generate_password)
    account = _said_plainly(lambda: store.set_password(account.id, password))
    audit.record(audit.PASSWORD_SET, account_id=account.id, by="command line")
    sentence = f"The password of {account.username} is set; earlier sessions and refresh tokens have ended."
    tell(account, sentence, password if generate_password else None, as_json)


def _said_plainly(work: Callable[[], T]) -> T:
    try:
        return work()
    except PasswordRefused as error:
        raise click.ClickException("\n".join(error.reasons)) from error
    except (IdentifierRefused, ClaimRefused, store.AccountExists) as error:
        raise click.ClickException(str(error)) from error


def _obtain_password(from_stdin: bool, generate: bool) -> str:
    if from_stdin and generate:
        raise click.UsageError("Choose one of --password-stdin and --generate-password.")
    if generate:
        return passwords.generate()
    if not from_stdin:
        if not sys.stdin.isatty():
            raise click.ClickException("Give the password with --password-stdin, or use --generate-password.")
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
        return asked
    try:
        # Bytes, so that only the one line end is taken off, whatever the terminal's settings are.
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.ClickException("The password on standard input is not UTF-8.") from error
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line:
        raise click.ClickException("Standard input must hold the password on one line, and nothing else.")
    return line


def _read_claims(file: TextIO | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = json.load(file)
    except ValueError as error:
        raise click.ClickException(f"The claims file is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException('The claims file must hold a JSON object, such as {"address": {"country": "PT"}}.')
    return found
