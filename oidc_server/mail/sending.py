"""send(): the one way into the outbox."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from .. import audit, languages
from ..database import now, transact
from ..server import current_server
from . import addresses, contents, store
from .models import OutboxMail
from .rendering import render

_HOUR = 3600.0


def rehearse(kind: str, *, language: str | None, **values: Any) -> None:
    """Write a mail and throw it away, where its being written must not be told from its not being written (EN-03)."""
    render(kind, values, language, current_server.settings)


def send(kind: str, to: str, *, language: str | None, account_id: str | None = None, **values: Any) -> None:
    """Put a mail into the outbox, in the caller's transaction; nothing is sent if that is undone.

    An address gets at most `mail_hourly_limit` mails of a kind in an hour, and nobody is told about the others (RC-07). Raises
    AddressRefused for an address that no mail can go to; KeyError, TypeError and ValueError for values that do not fit the kind.
    """
    settings = current_server.settings
    addresses.parse(to)
    with languages.using(language) as spoken:
        rendered = render(kind, values, spoken, settings)
    at = now()
    mail_id = secrets.token_hex(16)
    mail = OutboxMail(
        id=mail_id,
        kind=kind,
        recipient=to,
        recipient_hash=hashlib.sha256(to.casefold().encode()).hexdigest(),
        account_id=account_id,
        language=spoken,
        sealed=contents.seal(rendered, mail_id, settings),
        created_at=at,
        # A link that has ended is not worth delivering.
        gives_up_at=min(at + store.PATIENCE, values.get("ends_at") or at + store.PATIENCE),
        due_at=at,
        attempts=0,
    )

    def add() -> None:
        if store.count_since(mail.recipient_hash, kind, at - _HOUR) >= settings.mail_hourly_limit:
            audit.record(audit.MAIL_WITHHELD, kind=kind, account_id=account_id)
            return
        store.add(mail)

    transact(add)
