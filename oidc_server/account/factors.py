"""/account/factors: the second step of signing in: which factors there are, add an app, remove one, recovery codes. ASVS 6.5, 7.5.1.

Whatever changes a factor needs a fresh sign-in, with a factor if there is one (attack row SE-12), and is told by mail. Passkeys have a
page of their own; removing one is the same act wherever it is done.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, abort, request

from .. import csrf, factors, sessions, strict_form
from ..database import transact
from ..errors import Pages
from ..factors import Factor, TooManyFactors, new_app, qr_code, totp
from ..factors import notices as factor_notices
from ..factors.passkeys import NameRefused
from ..factors.passkeys.store import name_of
from ..form import Form
from ..networks import client_network
from ..responses import see_other
from ..sessions import Session
from . import notices, person
from .sessions import end_other_sessions

blueprint = Pages("account_factors", __name__)

PAGE = "/account/factors"
PURPOSE = "account factors"


@blueprint.get(PAGE)
def show() -> Response:
    """The factors, and how many recovery codes are left."""
    return _page(person.require_person())


@blueprint.post(f"{PAGE}/app")
def begin() -> Response:
    """Make the secret of a new authenticator app, or confirm one by the code that the app shows."""
    session, form = _read()
    if "new" in form:
        return _confirm(session, form)
    return see_other(f"{PAGE}/app?new={new_app.begin(session.account_id)}")


@blueprint.get(f"{PAGE}/app")
def show_app() -> Response:
    """The QR code of a new authenticator app, as long as it waits."""
    session = person.require_person()
    person.require_recent(session)
    return _app_page(session, strict_form.read_query(request).get("new", ""))


@blueprint.get(f"{PAGE}/recovery-codes")
def show_recovery_codes() -> Response:
    """What recovery codes are, and the button that makes them; those there are can never be shown again."""
    session = person.require_person()
    if not factors.of(session.account_id):
        return see_other(PAGE)
    return _recovery_page(session)


@blueprint.post(f"{PAGE}/recovery-codes")
def make_recovery_codes() -> Response:
    """Make ten codes in the place of all earlier ones, and show them this once."""
    session, _ = _read()
    if not factors.of(session.account_id):
        return see_other(PAGE)

    def make() -> list[str]:
        factor_notices.tell_added(session.account, "recovery_codes", network=client_network(request))
        return factors.recovery_codes.make(session.account_id)

    return _recovery_page(session, codes=transact(make))


@blueprint.post(f"{PAGE}/remove")
def remove() -> Response:
    """Remove a factor; the last one takes the recovery codes with it, and stays where somebody must have one."""
    session, form = _read()
    kind, identifier = form.get("kind", ""), form.get("id", "")
    account = session.account

    def work() -> str:
        held = factors.of(account.id)
        if len(held) == 1 and factors.is_required(account):
            return "needed"
        if not factors.remove(account.id, kind, identifier):
            return "gone"
        factor_notices.tell_removed(account, kind, network=client_network(request), id=identifier)
        return "removed"

    outcome = transact(work)
    if outcome != "removed":
        return _page(session, problem=outcome, status=409 if outcome == "needed" else 404)
    _end_others_if_chosen(session, form)
    return notices.go_on(PAGE, "removed")


def _confirm(session: Session, form: Form) -> Response:
    identifier, account = form["new"], session.account
    secret = new_app.find(identifier, account.id)
    again = partial(_app_page, session, identifier, name=form.get("name", ""))
    if secret is None:
        return again()
    try:
        name = name_of(form["name"]) if "name" in form else ""

        def keep() -> Factor | None:
            added = totp.add(account.id, secret, form.get("code", ""), name)
            if added is not None:
                if not new_app.finish(identifier):
                    abort(notices.go_on(PAGE, "app-ended"))  # another tab kept it; this one is rolled back
                factor_notices.tell_added(account, totp.KIND, network=client_network(request), id=added.id)
            return added

        added = transact(keep)
    except NameRefused:
        return again(problem="name", status=400)
    except TooManyFactors:
        return again(problem="many", status=409)
    if added is None:
        return again(problem="code", status=400)
    # The person has just shown both, so this session has two factors from now on.
    amr = list(dict.fromkeys([*session.amr, totp.AMR, "mfa"]))
    _end_others_if_chosen(session, form)
    sessions.raise_to(session, acr=factors.TWO_FACTORS, amr=amr)
    if factors.recovery_codes.remaining(account.id) == 0:
        return see_other(f"{PAGE}/recovery-codes")
    return notices.go_on(PAGE, "added")


def _read() -> tuple[Session, Form]:
    form = strict_form.read_page_form(request)
    csrf.check(form, PURPOSE)
    session = person.require_person()
    person.require_recent(session)
    return session, form


def _end_others_if_chosen(session: Session, form: Form) -> None:
    if form.get("others") == "end":
        end_other_sessions(session)


def _page(session: Session, *, problem: str = "", status: int = 200) -> Response:
    held = factors.of(session.account_id)
    return person.show(
        "account/factors.html",
        session,
        status,
        factors=held,
        recovery_codes=factors.recovery_codes.remaining(session.account_id),
        is_required=factors.is_required(session.account),
        is_recent=person.is_recent(session),
        problem=problem,
    )


def _app_page(session: Session, identifier: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    secret = new_app.find(identifier, session.account_id)
    if secret is None:
        abort(notices.go_on(PAGE, "app-ended"))
    return person.show(
        "account/factors_app.html",
        session,
        status,
        new=identifier,
        picture=qr_code.svg(totp.uri(secret, session.account)),
        secret=totp.text_of(secret),
        name=name,
        problem=problem,
    )


def _recovery_page(session: Session, *, codes: Any = ()) -> Response:
    return person.show(
        "account/factors_recovery_codes.html",
        session,
        codes=codes,
        remaining=factors.recovery_codes.remaining(session.account_id),
        is_recent=person.is_recent(session),
    )
