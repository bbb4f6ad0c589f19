"""Going in with the account that was just made: the session, or the second factor that is due before it (SE-10)."""

from __future__ import annotations

from typing import Any

from flask import Response

from .. import factors, parked_requests, registrations
from ..clients import store as clients
from ..confirmations import Confirmation
from ..database import now
from ..parked_requests import ParkedRequest
from ..responses import see_other
from ..tokens import sign_in

# One factor that the person knows: they chose the password a moment ago (RFC 8176 §2).
_ACR = "1"
_AMR = ["pwd"]
# Seconds after signing up for which answering the mail in the same browser lets the person in without the password.
_RECENT = 3600.0


def enter(account: Any, parked: ParkedRequest | None, then: str) -> Response:
    """Open a session for a person who just chose the password of a new account, and go on with what waits, else to `then`."""
    client = clients.find_active(parked.client_id) if parked is not None else None
    needed = factors.acr_needed(account, factors.of(account.id), client)
    if not factors.reaches(_ACR, needed) or (parked is not None and parked.required_acr == factors.TWO_FACTORS):
        transaction = parked.id if parked is not None else ""
        pending = factors.pending.begin(account, acr=_ACR, amr=_AMR, transaction=transaction, then="")
        return see_other(f"/login/second-factor?pending={pending.id}")
    session = sign_in.open_session(account, acr=_ACR, amr=_AMR)
    if parked is None:
        return see_other(then)
    parked.chosen_sid = session.sid
    parked_requests.save(parked)
    return see_other(f"/authorize?transaction={parked.id}")


def may_enter(account: Any, confirmation: Confirmation) -> bool:
    """Whether the answer to the mail also lets the person in: the first time, soon, and in the browser where the password was chosen."""
    return bool(
        confirmation.data.get("signed_up")
        and account.last_login_at is None
        and now() - confirmation.begun_at <= _RECENT
        and registrations.is_this_browser(confirmation)
    )
