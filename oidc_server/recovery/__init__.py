"""GET and POST /recover and /reset: a new password for a person who forgot theirs. ASVS 6.3.7, 6.3.8, 6.4.3, 7.4.3.

Asking answers 303 to the same page for every name. The link of the mail is a GET that changes nothing; a password that cannot be used is
a 422, a link that has ended a 410. A new password signs nobody in (RC-05), so no link can put a person into somebody else's account.
"""

from __future__ import annotations

from flask import Flask

from .. import languages
from ..server import AuthorizationServer
from . import views


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(views.blueprint)
    # In production a way back that no mail can take is none.
    is_offered = bool(server.settings.smtp_url) or not server.settings.is_production
    app.context_processor(lambda: {"recover_url": _url()} if is_offered else {})


def _url() -> str:
    """`recover_url` for the pages that offer it, with the parked request that they are about."""
    transaction = languages.transaction()
    return f"/recover?transaction={transaction}" if transaction else "/recover"
