"""Mails: an outbox table that requests write, and a worker in each process that delivers by SMTP. RFC 5321, RFC 5322, RFC 6531, RFC 3834.

    transact(lambda: mail.send("verify_email", address, language=…, account_id=…, link=…, code=…, ends_at=…, network=…))

writes one row in the caller's transaction: no request waits for a mail server, and what is rolled back sends no mail. KINDS names the mails
and the values that each expects: `link` is an address of this server, `code` eight digits, `ends_at` and `at` are epoch seconds, `network`
says who asked (None when nobody did from afar). Endpoints: GET /dev/mails and /dev/mails/<id>, on a developer's machine alone.
"""

from __future__ import annotations

import logging

from flask import Flask

from ..database import transact
from ..server import AuthorizationServer
from ..settings import SettingsError
from . import delivery, message, store, views
from .addresses import AddressRefused
from .commands import mail_commands
from .rendering import FACTORS, KINDS
from .sending import rehearse, send

__all__ = ["FACTORS", "KINDS", "AddressRefused", "mount", "rehearse", "send"]

log = logging.getLogger(__name__)

_PURGE_EVERY = 300.0
_BATCH = 500


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Raises SettingsError when nobody could be the sender."""
    try:
        message.sender(server.settings)
    except AddressRefused as error:
        raise SettingsError(f"OIDC_MAIL_FROM cannot be used. {error}") from error
    app.cli.add_command(mail_commands)
    server.upkeep("mail.purge", _PURGE_EVERY, _purge)
    if views.are_for_us(server.settings):
        app.register_blueprint(views.blueprint)
    if server.settings.smtp_url:
        delivery.mount(app)
    elif server.settings.is_production:
        log.warning(
            "OIDC_SMTP_URL is not set: no mail leaves this server, so nobody can confirm an address or reset a password."
        )


def _purge() -> None:
    # A few batches at a time; what is more is worked off with the next ones.
    for _ in range(20):
        if transact(lambda: store.purge(_BATCH)) < _BATCH:
            return
