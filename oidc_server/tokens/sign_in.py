"""Signing in and out at a browser, with what hangs on the session there: the tokens of whoever was there before. SE-13."""

from __future__ import annotations

from flask import request

from .. import accounts, csrf, sessions
from ..accounts import Account
from ..database import transact
from ..networks import client_network
from . import families


def open_session(account: Account, *, acr: str, amr: list[str]) -> sessions.Session:
    """A new session of this browser for a person who proved all that is asked for; the tokens of another person's end."""
    earlier = sessions.current()
    if earlier is not None and earlier.account_id != account.id:
        transact(lambda: families.revoke_session(earlier.sid))  # another person took the browser over
    accounts.record_sign_in(account, network=client_network(request), device=csrf.browser_id())
    return sessions.start(account.id, acr=acr, amr=amr)


def close_session(session: sessions.Session) -> None:
    """Sign out: the session ends, and every token that was to end with it."""

    def end() -> None:
        families.revoke_session(session.sid)
        sessions.end(session)

    transact(end)
