"""What follows a proof of who somebody is, whichever way it was given: a second factor where one is due, a session, and onwards."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from .. import factors, languages, parked_requests, registrations, sessions
from ..clients import store as clients
from ..networks import client_network
from ..parked_requests import ParkedRequest
from ..responses import see_other
from ..tokens import sign_in


def complete(account: Any, parked: ParkedRequest | None, *, acr: str, amr: list[str], then: str = "") -> Response:
    """Go on after a proof: to the second factor where one is due and was not given, else open the session and go on.

    `acr` and `amr` (RFC 8176) say what was proven. `then` is an address of the account pages to go to without a request.
    """
    if registrations.must_verify(account):
        return _verify_first(account, parked)
    if not factors.reaches(acr, acr_needed(account, parked)):
        # No session before the factor: what waits is on the server, and nothing else takes it for a sign-in (SE-10).
        transaction = parked.id if parked is not None else ""
        pending = factors.pending.begin(account, acr=acr, amr=amr, transaction=transaction, then=then)
        return see_other(
            f"/login/second-factor?pending={pending.id}" + (f"&transaction={transaction}" if transaction else "")
        )
    open_session(account, acr=acr, amr=amr, parked=parked)
    return go_on(parked, then)


def acr_needed(account: Any, parked: ParkedRequest | None) -> str:
    """The least acr that this person may have a session with, for the app that waits or for none."""
    if parked is not None and parked.required_acr == factors.TWO_FACTORS:
        return factors.TWO_FACTORS
    client = clients.find_active(parked.client_id) if parked is not None else None
    return factors.acr_needed(account, factors.of(account.id), client)


def open_session(account: Any, *, acr: str, amr: list[str], parked: ParkedRequest | None = None) -> sessions.Session:
    """A new session of this browser, which `parked` is answered with; the tokens of another person's end."""
    session = sign_in.open_session(account, acr=acr, amr=amr)
    _choose(session, parked)
    return session


def raise_session(session: sessions.Session, parked: ParkedRequest, *, amr: list[str]) -> None:
    """Write into the session of a person who is signed in that a second factor was proven too, for `parked`."""
    _choose(sessions.raise_to(session, acr=factors.TWO_FACTORS, amr=amr), parked)


def go_on(parked: ParkedRequest | None, then: str = "") -> Response:
    """To what waits for the person: the parked request, else the account page they were on the way to."""
    return see_other(address_of(parked, then))


def address_of(parked: ParkedRequest | None, then: str = "") -> str:
    """Where go_on() leads, for a page with a link to it."""
    return f"/authorize?transaction={parked.id}" if parked is not None else then or "/account"


def _verify_first(account: Any, parked: ParkedRequest | None) -> Response:
    """To the page that waits for the answer to a new mail: nobody has a session before that (`require_verified_email`)."""
    handle = registrations.begin_verification(
        account,
        languages.current(),
        network=client_network(request),
        browser=registrations.browser_hash(),
        transaction=parked.id if parked is not None else "",
    )
    on = f"&transaction={parked.id}" if parked is not None else ""
    return see_other(f"/verify?request={handle}{on}")


def _choose(session: sessions.Session, parked: ParkedRequest | None) -> None:
    if parked is not None:
        parked.chosen_sid = session.sid
        parked_requests.save(parked)
