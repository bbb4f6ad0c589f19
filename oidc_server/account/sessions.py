"""GET /account/sessions: the browsers that are signed in, and an end to one of them or to all others. ASVS 7.5.2."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from .. import csrf, sessions, strict_form
from ..database import transact
from ..errors import PageError, Pages
from ..networks import client_network
from ..sessions import Session
from ..sessions.devices import Device, device_of, place_of
from ..tokens import families
from . import notices, person

blueprint = Pages("account_sessions", __name__)


@dataclass(frozen=True)
class SignedIn:
    """A session as the page shows it."""

    session: Session
    device: Device
    place: str
    is_this: bool
    is_here: bool


@blueprint.get("/account/sessions")
def show() -> Response:
    current = person.require_person()
    found = [_shown(one, current) for one in sessions.store.list_for(current.account_id)]
    return person.show("account/sessions.html", current, signed_in=sorted(found, key=lambda one: not one.is_this))


@blueprint.post("/account/sessions/end")
def end_one() -> Response:
    """End one session of the person, with what its apps hold until it ends."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "account sessions")
    current = person.require_person()
    sid = form.get("sid", "")

    def end() -> bool:
        if not sessions.store.end_one(current.account_id, sid):
            return False
        families.revoke_session(sid)
        return True

    if sid == current.sid:
        raise PageError("bad_request", developer="This session is ended by signing out.")
    if not transact(end):
        # Ended by itself meanwhile, or somebody else's: the two look the same.
        return notices.go_on("/account/sessions", "gone")
    return notices.go_on("/account/sessions", "ended")


@blueprint.post("/account/sessions/end-others")
def end_others() -> Response:
    """End every session but this one."""
    csrf.check(strict_form.read_page_form(request), "account sessions")
    current = person.require_person()
    end_other_sessions(current)
    return notices.go_on("/account/sessions", "ended-others")


def end_other_sessions(current: Session) -> None:
    """End the other sessions of a person, with what their apps hold until they end."""

    def end() -> None:
        for sid in sessions.store.end_all(current.account_id, except_sid=current.sid):
            families.revoke_session(sid)

    transact(end)


def _shown(session: Session, current: Session) -> SignedIn:
    return SignedIn(
        session=session,
        device=device_of(session.user_agent),
        place=place_of(session.network),
        is_this=session.sid == current.sid,
        is_here=session.network == client_network(request),
    )
