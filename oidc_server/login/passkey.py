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
from ..form import Form
from ..networks import client_network
from ..responses import see_other
from ..server import current_server
from . import candidate as candidates
from . import destination, second_factor, views
from .candidate import Candidate, Elsewhere
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


@blueprint.errorhandler(Elsewhere)
def _lead(error: Elsewhere) -> Response:
    return error.response


@blueprint.post("/login/passkey/options")
def options() -> Response:
    """A challenge for this browser, as JSON for navigator.credentials.get(). Before a password nothing in it tells who exists."""
    form = _read()
    account_id = _candidate(form).account.id if _is_second_factor(form) else None
    return Response(orjson.dumps(passkeys.request_options(account_id)), mimetype="application/json")


@blueprint.post("/login/passkey")
def sign_in() -> Response:
    """Check what the device signed, and go on with what waits for the person."""
    form = _read()
    return _sign_in_after_password(form) if _is_second_factor(form) else _sign_in_alone(form)


def _sign_in_alone(form: Form) -> Response:
    parked = views.parked_of(form)
    then = destination.of(form)
    try:
        used = passkeys.authenticate(form.get("credential", ""))
    except passkeys.Refused as refused:
        _note(refused)
        again = destination.wants_proof(form) and sessions.current() is not None
        return views.page(parked, then=then, again=again, status=401)
    return complete(accounts.store.find(used.account_id), parked, acr=ACR, amr=used.amr, then=then)


def _sign_in_after_password(form: Form) -> Response:
    candidate = _candidate(form)
    try:
        used = passkeys.authenticate(form.get("credential", ""), candidate.account.id)
    except passkeys.Refused as refused:
        _note(refused)
        return second_factor.page(candidate, status=401)
    return candidates.succeed(candidate, amr=used.amr)


def _is_second_factor(form: Form) -> bool:
    return form.get("way") == "second-factor"


def _candidate(form: Form) -> Candidate:
    candidate = candidates.find(form)
    if not candidate.has(passkeys.KIND):
        raise Elsewhere(see_other(f"{second_factor.PATH}?{candidate.query}"))
    return candidate


def _note(refused: passkeys.Refused) -> None:
    audit.record(audit.PASSKEY_REFUSED, account_id=refused.account_id, reason=refused.reason)
    g.passkey_refused = refused


def _read() -> Form:
    form = strict_form.read_page_form(request)
    csrf.check(form, "passkey")
    rate_limits.hit("passkey", client_network(request))
    return form
