"""Who may sign up: nobody, who was invited, or everybody; and the invitations."""

from __future__ import annotations

from collections.abc import Iterable

from .. import audit, confirmations, mail
from ..accounts import AccountExists, store
from ..accounts.claims import names_of
from ..accounts.identifiers import email_of
from ..confirmations import Confirmation
from ..database import transact
from ..server import current_server

PURPOSE = "invitation"


class SignUpClosed(Exception):
    """The setting `sign_up` lets this person create no account."""


def is_open() -> bool:
    """Whether everybody may sign up."""
    return current_server.settings.sign_up == "open"


def is_possible() -> bool:
    """Whether an invitation is worth something."""
    return current_server.settings.sign_up in ("open", "invitation")


def invite(
    email: str, roles: Iterable[str] = (), groups: Iterable[str] = (), language: str | None = None
) -> confirmations.Begun:
    """Send an invitation; an earlier one to the same address ends. Whoever follows it has that address, these roles and groups.

    Raises SignUpClosed, AccountExists, IdentifierRefused and ClaimRefused.
    """
    if not is_possible():
        raise SignUpClosed
    address = email_of(email)
    data = {"roles": names_of("roles", roles), "groups": names_of("groups", groups)}
    settings = current_server.settings

    def begin() -> confirmations.Begun:
        if store.find_by_login(address) is not None:
            raise AccountExists("email")
        begun = confirmations.begin(
            PURPOSE, account_id=None, email=address, data=data, lifetime=settings.invitation_lifetime
        )
        link = settings.url(f"/signup?invitation={begun.link_secret}")
        mail.send("invitation", address, language=language, link=link, ends_at=begun.expires_at)
        return begun

    begun = transact(begin)
    audit.record(audit.INVITED, roles=data["roles"], groups=data["groups"])
    return begun


def look_at_invitation(link_secret: str) -> Confirmation:
    """Whom an invitation is for; changes nothing. Raises confirmations.Refused and SignUpClosed."""
    if not is_possible():
        raise SignUpClosed
    return confirmations.look(PURPOSE, link_secret)
