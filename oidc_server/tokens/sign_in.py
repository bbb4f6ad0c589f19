"""Signing in and out at a browser, with what hangs on the session there: the tokens of whoever was there before. SE-13."""

from __future__ import annotations

from flask import request

from .. import accounts, csrf, languages, mail, sessions
from ..accounts import Account
from ..database import now, transact
from ..networks import client_network
from ..server import current_server
from ..sessions.devices import device_of
from . import families


def open_session(account: Account, *, acr: str, amr: list[str]) -> sessions.Session:
    """A new session of this browser for a person who proved all that is asked for; the tokens of another person's end."""
    earlier = sessions.current()
    network = client_network(request)

    def write() -> None:
        if earlier is not None and earlier.account_id != account.id:
            families.revoke_session(earlier.sid)  # another person took the browser over
        accounts.record_sign_in(
            account, network=network, device=csrf.browser_id(), tell=lambda: _tell_of_new_device(account, network)
        )

    return sessions.start(account.id, acr=acr, amr=amr, first=write)


def close_session(session: sessions.Session) -> None:
    """Sign out: the session ends, and every token that was to end with it."""

    def end() -> None:
        families.revoke_session(session.sid)
        sessions.end(session)

    transact(end)


def _tell_of_new_device(account: Account, network: str) -> None:
    if account.email is None or not current_server.settings.new_device_mail:
        return
    language = account.claims.get("locale") or languages.current()
    with languages.using(language):
        device = device_of(request.headers.get("User-Agent", "")).words
    mail.send(
        "new_device",
        account.email,
        language=language,
        account_id=account.id,
        device=device,
        at=now(),
        network=network,
    )
