"""Asking for a new password: whatever is typed, the same work is done and the same is answered. Rows EN-03, RC-07."""

from __future__ import annotations

import secrets
from typing import Any

from .. import audit, confirmations, mail
from ..accounts import Account, IdentifierRefused, counter_key, proofs, store
from ..accounts.identifiers import email_of, is_email
from ..accounts.throttle.mails import take_slot
from ..confirmations import Begun
from ..database import db, transact
from ..even_time import even_time
from ..server import current_server

PURPOSE = "reset_password"
_NOWHERE = "nobody@mail.invalid"  # RFC 6761 §6.4; no mail is ever stored for it
# Nothing that somebody could have been registered with is longer.
_MAX_LOGIN_LENGTH = 254


class _NothingToSend(Exception):
    """Undoes a mail that was written for the sake of its time."""


@even_time()
def begin(login: str, *, language: str | None = None, network: str | None = None, transaction: str = "") -> str:
    """Send a mail to the person of this user name or address, if there is one; the handle for its code, whoever it was."""
    typed = login.strip()[:_MAX_LOGIN_LENGTH]
    account = store.find_by_login(typed)
    person = account if account is not None and account.is_active and account.email else None
    who = counter_key(typed)

    def ask() -> tuple[str, bool]:
        if not take_slot(PURPOSE, who):
            return secrets.token_hex(32), False  # as a handle looks; the links that were sent before stay alive
        begun = confirmations.begin(
            PURPOSE,
            account_id=person.id if person is not None else None,
            email=str(person.email) if person is not None else typed,
            data={
                "state": proofs.state_of(person) if person is not None else {"email_key": None},
                "transaction": transaction,
            },
            lifetime=current_server.settings.password_reset_lifetime,
        )
        _write(account, person, typed, begun, language, network)
        return begun.handle, True

    handle, is_asked = transact(ask)
    event = audit.RECOVERY_ASKED if is_asked else audit.RECOVERY_WITHHELD
    audit.record(event, account_id=account.id if account is not None else None, network=network)
    return handle


def _write(
    account: Account | None, person: Account | None, typed: str, begun: Begun, language: str | None, network: str | None
) -> None:
    # Whoever asks, both mails are written: the one takes half a millisecond longer than the other.
    if person is not None or account is not None or _address(typed) is None:
        mail.rehearse("no_account", language=language, network=network)
    if person is not None:
        try:
            _send_link(str(person.email), person, begun, language, network)
            return
        except mail.AddressRefused:
            pass
    elif account is None and (address := _address(typed)) is not None:
        mail.rehearse("reset_password", language=language, **_values(begun, network))
        mail.send("no_account", address, language=language, network=network)
        return
    # A user name that nobody has, or a person whom no mail reaches: the same work, and then it is undone.
    try:
        with db.session.begin_nested():
            db.session.connection()  # begins the savepoint here, not with the first question of the ORM
            _send_link(_NOWHERE, None, begun, language, network)
            raise _NothingToSend
    except _NothingToSend:
        pass


def _send_link(address: str, person: Account | None, begun: Begun, language: str | None, network: str | None) -> None:
    spoken = person.claims.get("locale") if person is not None else None
    mail.send(
        "reset_password",
        address,
        language=spoken or language,
        account_id=person.id if person is not None else None,
        **_values(begun, network),
    )


def _values(begun: Begun, network: str | None) -> dict[str, Any]:
    link = current_server.settings.url(f"/reset?link={begun.link_secret}")
    return {"link": link, "code": begun.code, "ends_at": begun.expires_at, "network": network}


def _address(typed: str) -> str | None:
    try:
        return email_of(typed) if is_email(typed) else None
    except IdentifierRefused:
        return None
