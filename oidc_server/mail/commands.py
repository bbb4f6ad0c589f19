"""`flask mail test|list`."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from ..database import now
from ..server import current_server
from . import addresses, message, store, transport
from .delivery import own_name
from .models import OutboxMail
from .rendering import render

mail_commands = AppGroup("mail", help="Mails: whether they can leave, and what became of them.")


@mail_commands.command("test")
@click.argument("address")
@click.option("--language", default="en", help="Language of the mail.")
def test_command(address: str, language: str) -> None:
    """Send a mail to ADDRESS now, past the outbox, and say what the mail server answers."""
    settings = current_server.settings
    if not settings.smtp_url:
        raise click.ClickException("OIDC_SMTP_URL is not set; docs/people.md says what it looks like.")
    endpoint = transport.endpoint_of(settings.smtp_url)
    at = now()
    try:
        composed = message.compose(
            render("test", {"at": at}, language, settings),
            address,
            mail_id=secrets.token_hex(16),
            created_at=at,
            language=language,
            settings=settings,
        )
        with transport.connect(endpoint, own_name(settings.issuer)) as connection:
            click.echo(f"Connected to {endpoint}{' and signed in' if endpoint.username else ''}.")
            connection.deliver(composed)
    except (addresses.AddressRefused, transport.Refused, transport.Postponed, transport.Unreachable) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"It took the mail from {message.sender(settings).addr_spec} to {address}.")


@mail_commands.command("list")
@click.option("--state", type=click.Choice(["waiting", "delivered", "failed"]), help="Only mails of this state.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_command(state: str | None, limit: int, as_json: bool) -> None:
    """List mails, the newest first, and what became of them; what they say is not shown."""
    found = store.newest(limit, state)
    if as_json:
        click.echo(json.dumps([_described(mail) for mail in found], indent=2, ensure_ascii=False))
        return
    for mail in found:
        line = f"{_time(mail.created_at)}  {mail.state:9}  {mail.kind:16}  {mail.recipient}"
        tries = f"  {mail.attempts} attempts" if mail.attempts > 1 else ""
        click.echo(line + tries + (f"  {mail.problem}" if mail.problem else ""))
    if not found:
        click.echo("No mails.")


def _described(mail: OutboxMail) -> dict[str, object]:
    return {
        "id": mail.id,
        "kind": mail.kind,
        "recipient": mail.recipient,
        "account_id": mail.account_id,
        "language": mail.language,
        "state": mail.state,
        "attempts": mail.attempts,
        "problem": mail.problem,
        "created_at": _time(mail.created_at),
        "due_at": _time(mail.due_at),
        "ended_at": _time(mail.ended_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
