"""GET and POST /signup and /verify: a new account, and the mails that prove an address. OpenID Connect Prompt Create 1.0, ASVS 6.3.8.

A field that cannot be used answers 422, an address or name that somebody has 409 (never with `hide_accounts`), a link that has ended 410.
The links of mails are GETs that change nothing: each shows a page whose button does what the link is for.
"""

from __future__ import annotations

from flask import Flask

from .. import languages, registrations
from ..server import AuthorizationServer
from . import sign_up, verify


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(sign_up.blueprint)
    app.register_blueprint(verify.blueprint)
    app.context_processor(_links)


def _links() -> dict[str, str]:
    """`signup_url` for the pages that offer it, with the parked request that they are about."""
    if not registrations.is_open():
        return {}
    transaction = languages.transaction()
    return {"signup_url": f"/signup?transaction={transaction}" if transaction else "/signup"}
