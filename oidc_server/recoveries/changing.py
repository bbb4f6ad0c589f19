"""A new password for a person who is signed in and knows the present one. ASVS 6.2.2, 6.2.3, 7.4.3."""

from __future__ import annotations

from flask import request

from .. import audit, languages, mail, sessions
from ..accounts import store
from ..database import now, transact
from ..networks import client_network
from ..sessions import Session
from ..sessions.proof import require_password
from ..tokens import families


def change(session: Session, current_password: str, password: str, *, ends_others: bool) -> None:
    """Set the password and tell the person; with `ends_others` every other session ends, and what every app holds.

    Not to be called inside transact(). Raises sessions.proof.NotProved, accounts.PasswordRefused and accounts.Busy.
    """
    require_password(session.account, current_password)
    store.set_password(session.account_id, password, keep_sessions=not ends_others)
    transact(lambda: _tell(session, ends_others))
    sessions.store.renew(session)


def _tell(session: Session, ends_others: bool) -> None:
    account = session.account
    if ends_others:
        sessions.store.end_all(account.id, except_sid=session.sid)
        families.revoke_account(account.id, "new password")
    audit.record(audit.PASSWORD_SET, account_id=account.id, by="person", ends_others=ends_others)
    if account.email:
        network = client_network(request)
        mail.send(
            "password_changed",
            account.email,
            language=languages.current(),
            account_id=account.id,
            at=now(),
            network=network,
        )
