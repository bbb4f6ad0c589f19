"""POST /api/v1/accounts/…, GET /api/openapi.json and /api: what the pages for people do, as JSON. OpenAPI 3.1, RFC 9457, RFC 8259.

For an app or a program that has forms of its own: register, login, logout, verify, recover, reset, password. For one that runs the
place: grant and revoke, with an access token of its own. Counters, limits, audit lines
and rules are those of the pages, because the same nouns answer. A session is the same cookie as the sign-in page's. No address here
answers CORS: scripts of other origins have the protocol, which never shows them a password.

operations.py declares each address once; what is read of a request, the document and the readable page follow from it.
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import page, passwords, registering, rights, signing_in
from .problem import ProblemDetails

__all__ = ["mount"]


def mount(app: Flask, server: AuthorizationServer) -> None:
    if not server.settings.accounts_api:
        return
    accounts = ProblemDetails("api_accounts", __name__, url_prefix="/api/v1/accounts")
    for module in (registering, signing_in, passwords, rights):
        module.mount(accounts)
    app.register_blueprint(accounts)
    app.register_blueprint(page.document)
    app.register_blueprint(page.blueprint)
