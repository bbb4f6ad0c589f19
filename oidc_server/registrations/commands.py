"""`flask accounts invite`: a mail with which somebody signs up, whatever role they are to have."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..accounts import AccountExists, ClaimRefused, IdentifierRefused
from ..accounts.commands import accounts
from ..languages import SUPPORTED
from ..server import current_server
from .invitations import SignUpClosed, invite


def mount() -> None:
    accounts.add_command(invite_command)


@click.command("invite")
@with_appcontext
@click.option("--email", required=True, help="Address of the person; the account will have it, confirmed.")
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option("--group", "groups", multiple=True, help="A group; may be repeated.")
@click.option("--language", type=click.Choice(SUPPORTED), default="en", show_default=True, help="Language of the mail.")
def invite_command(email: str, roles: tuple[str, ...], groups: tuple[str, ...], language: str) -> None:
    """Invite somebody by mail to create an account."""
    try:
        invite(email, roles, groups, language)
    except SignUpClosed as error:
        raise click.ClickException("Nobody may sign up; set OIDC_SIGN_UP to invitation or open.") from error
    except (AccountExists, IdentifierRefused, ClaimRefused) as error:
        raise click.ClickException(str(error)) from error

    lifetime = current_server.settings.invitation_lifetime
    click.echo(f"Invited {email}; the link in the mail works for {lifetime / 86400:g} days.")
    if not current_server.settings.smtp_url:
        click.echo("OIDC_SMTP_URL is not set, so the mail stays in the outbox; `flask mail list` shows it.")
