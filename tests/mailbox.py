"""What lies in the mailboxes of the people in tests: the outbox, opened with the key of the server."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask

from oidc_server.database import db
from oidc_server.mail.contents import unseal
from oidc_server.mail.models import OutboxMail

from . import flows


@dataclass(frozen=True)
class Mail:
    """One mail; `path` is its first link to this server without the host, `code` its eight digits."""

    kind: str
    to: str
    language: str
    subject: str
    text: str
    html: str
    path: str
    code: str


def of(app: Flask, address: str | None = None, kind: str | None = None) -> list[Mail]:
    """The mails to an address, the oldest first."""
    settings = app.extensions["oidc_server"].settings
    found = []
    with app.app_context():
        rows = db.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at)).all()
        for row in rows:
            contents = unseal(row.sealed, row.id, settings)
            assert contents is not None
            if address in (None, row.recipient) and kind in (None, row.kind):
                link = re.search(re.escape(flows.base_url(app)) + r"(/\S+\?\S+)", contents.text)
                code = re.search(r"\b(\d{4}) (\d{4})\b", contents.text)
                found.append(
                    Mail(
                        row.kind,
                        row.recipient,
                        row.language,
                        contents.subject,
                        contents.text,
                        contents.html,
                        link[1] if link else "",
                        code[1] + code[2] if code else "",
                    )
                )
        db.session.remove()
    return found


def newest(app: Flask, address: str, kind: str | None = None) -> Mail:
    """The newest mail to an address."""
    return of(app, address, kind)[-1]
