"""Signing in with a passkey: alone, offered among the names that the browser fills in or by a button, or after the password.

POST /login/passkey/options answers the script of the page, POST /login/passkey is the form that it sends. WebAuthn Level 3 §7.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from flask import Flask, Response, g, request

from .. import accounts, audit, csrf, factors, headers, rate_limits, sessions, strict_form
from ..errors import Pages
from ..factors import passkeys
from ..networks import client_network
from ..server import current_server
from ..strict_form import Form
from . import destination, views
from .completion import complete

blueprint = Pages("login_passkey", __name__)

#: The device is something that the person has, and it made sure who holds it. Never given without that.
ACR = factors.TWO_FACTORS


@dataclass(frozen=True)
class Offer:
    """What templates/login/passkey.html needs; `unknown` is a credential id that the browser need not offer again."""

    origin: str
    rp_id: str
    is_refused: bool
    unknown: str


def mount(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.jinja_env.globals["passkey_offer"] = offer


def offer() -> Offer | None:
    """The offer of this page, which may fetch its challenges from here; None where no browser could use a passkey."""
    if not passkeys.is_possible():
        return None
    headers.allow_fetch()
    refused = g.get("passkey_refused")
    unknown = refused.credential_id if isinstance(refused, passkeys.UnknownCredential) else ""
    return Offer(current_server.settings.origin, passkeys.rp_id(), refused is not None, unknown)


@blueprint.post("/login/passkey/options")
def options() -> Response:
    """A challenge for this browser, as JSON for navigator.credentials.get(). Nothing in it tells who exists."""
    _read()
    return Response(orjson.dumps(passkeys.request_options()), mimetype="application/json")


@blueprint.post("/login/passkey")
def sign_in() -> Response:
    """Check what the device signed, open a session, and go on with what waits for the person."""
    form = _read()
    parked = views._parked(form)
    then = destination.of(form)
    try:
        used = passkeys.authenticate(form.get("credential", ""))
    except passkeys.Refused as refused:
        audit.record(audit.PASSKEY_REFUSED, reason=refused.reason)
        g.passkey_refused = refused
        again = destination.wants_proof(form) and sessions.current() is not None
        return views._form(parked, then=then, again=again, status=401)
    account = accounts.store.find(used.account_id)
    audit.record(audit.SIGN_IN, account_id=used.account_id, passkey=used.passkey.id)
    return complete(account, parked, acr=ACR, amr=used.amr, then=then)


def _read() -> Form:
    form = strict_form.read_page_form(request)
    csrf.check(form, "passkey")
    rate_limits.hit("passkey", client_network(request))
    return form
