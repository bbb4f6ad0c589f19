"""/account/passkeys: the person's passkeys: which there are, add one, name it, remove it. WebAuthn Level 3 §7.1, ASVS 6.3.7, 7.5.1."""

from __future__ import annotations

import orjson
from flask import Response, request

from .. import audit, csrf, factors, headers, rate_limits, sessions, strict_form
from ..accounts import Account
from ..database import transact
from ..errors import Pages
from ..factors import notices as factor_notices
from ..factors import passkeys
from ..form import Form
from ..networks import client_network
from ..responses import see_other
from ..server import current_server
from ..sessions import Session
from . import notices, person
from .sessions import end_other_sessions

blueprint = Pages("account_passkeys", __name__)

_PAGE = "/account/passkeys"


@blueprint.get("/account/passkeys")
def show() -> Response:
    """The passkeys, and the form to add one."""
    return _page(person.require_person())


@blueprint.post("/account/passkeys/options")
def options() -> Response:
    """What the browser needs to make a passkey, as JSON for navigator.credentials.create()."""
    session, _ = _read(recent=True)
    rate_limits.hit("passkey", client_network(request))
    found = passkeys.creation_options(session.account, sid=session.sid)
    return Response(orjson.dumps(found), mimetype="application/json")


@blueprint.post("/account/passkeys/add")
def add() -> Response:
    """Keep the passkey that the browser made."""
    session, form = _read(recent=True)
    rate_limits.hit("passkey", client_network(request))
    account: Account = session.account
    try:
        made = passkeys.accept(account, form.get("credential", ""), sid=session.sid, name=form.get("name", ""))
        transact(lambda: _add(account, made))
    except passkeys.NameRefused:
        return _page(session, problem="name", status=400)
    except passkeys.AlreadyRegistered:
        return _page(session, problem="known", status=409)
    except passkeys.TooMany:
        return _page(session, problem="many", status=409)
    except passkeys.Refused as refused:
        audit.record(audit.PASSKEY_REFUSED, account_id=account.id, reason=refused.reason)
        return _page(session, problem="refused", status=400)
    # The person has just shown it, so this session has two factors from now on.
    amr = list(dict.fromkeys([*session.amr, made.amr, "user", "mfa"]))
    sessions.raise_to(session, acr=factors.TWO_FACTORS, amr=amr)
    if factors.recovery_codes.remaining(account.id) == 0:
        return see_other("/account/factors/recovery-codes")
    return notices.go_on(_PAGE, "added")


@blueprint.post("/account/passkeys/rename")
def rename() -> Response:
    """Give a passkey another name."""
    session, form = _read(recent=False)
    try:
        renamed = passkeys.store.rename(session.account_id, form.get("passkey", ""), form.get("name", ""))
    except passkeys.NameRefused:
        return _page(session, problem="name", status=400)
    if renamed is not None:
        audit.record(audit.PASSKEY_RENAMED, account_id=session.account_id, passkey=renamed.id)
        return notices.go_on(_PAGE, "renamed")
    return _page(session, problem="gone", status=404)


@blueprint.post("/account/passkeys/remove")
def remove() -> Response:
    """Remove a passkey; it opens nothing from now on."""
    session, form = _read(recent=True)
    account: Account = session.account
    identifier = form.get("passkey", "")

    def work() -> str:
        if _is_the_only_way(account):
            return "only"
        if len(factors.of(account.id)) == 1 and factors.is_required(account):
            return "needed"
        if not factors.remove(account.id, passkeys.KIND, identifier):
            return "gone"
        factor_notices.tell_removed(account, passkeys.KIND, network=client_network(request), passkey=identifier)
        return "removed"

    outcome = transact(work)
    if outcome != "removed":
        return _page(session, problem=outcome, status=404 if outcome == "gone" else 409)
    if form.get("others") == "end":
        end_other_sessions(session)
    return notices.go_on(_PAGE, "removed")


def _add(account: Account, made: passkeys.Passkey) -> None:
    passkeys.store.add(made)
    factor_notices.tell_added(account, passkeys.KIND, network=client_network(request), passkey=made.id)


def _read(*, recent: bool) -> tuple[Session, Form]:
    form = strict_form.read_page_form(request)
    session = person.require_person()
    csrf.check(form, "passkeys")
    if recent:
        person.require_recent(session)
    return session, form


def _page(session: Session, *, problem: str = "", status: int = 200) -> Response:
    account: Account = session.account
    headers.allow_fetch()
    mine = passkeys.store.list_of(account.id)
    handle = passkeys.store.find_user_handle(account.id)
    return person.show(
        "account/passkeys.html",
        session,
        status,
        passkeys=mine,
        problem=problem,
        is_possible=passkeys.is_possible(),
        is_recent=person.is_recent(session),
        is_the_only_way=_is_the_only_way(account),
        origin=current_server.settings.origin,
        rp_id=passkeys.rp_id(),
        # Passkeys that were removed here are taken from what the browser offers (WebAuthn §5.1.10.3).
        user_id=passkeys.to_base64url(handle) if handle is not None else "",
        accepted=" ".join(passkeys.to_base64url(passkey.credential_id) for passkey in mine),
    )


def _is_the_only_way(account: Account) -> bool:
    return account.password_hash is None and passkeys.store.count(account.id) <= 1
