"""Who stands before the second-factor page: a person whose password was right a moment ago, or one with a session that needs more.

Everything is found from ids of things that the server keeps for this browser; nothing about the person comes from the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response

from .. import factors, parked_requests, sessions
from ..database import now
from ..factors import Factor, PendingSignIn
from ..form import Form
from ..parked_requests import ParkedRequest
from ..responses import see_other
from ..server import current_server
from .completion import acr_needed, complete, go_on, raise_session


class Elsewhere(Exception):
    """The second-factor page is not the place for this request; `response` leads to the one that is."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class Candidate:
    """A person who proved one thing and is asked for another. Exactly one of `pending` and `session` is there."""

    account: Any
    factors: list[Factor]
    parked: ParkedRequest | None
    pending: PendingSignIn | None = None
    session: sessions.Session | None = None

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields by which the next form finds this candidate again."""
        fields = {"pending": self.pending.id} if self.pending is not None else {}
        return fields | ({"transaction": self.parked.id} if self.parked is not None else {})

    @property
    def query(self) -> str:
        """The same as a query string."""
        return "&".join(f"{name}={value}" for name, value in self.fields.items())

    def has(self, kind: str) -> bool:
        """Whether the person has a factor of this kind."""
        return any(factor.kind == kind for factor in self.factors)


def find(values: Form) -> Candidate:
    """The candidate of this browser that the query or form names. Raises Elsewhere."""
    if "pending" in values:
        return _of_pending(values["pending"], values.get("transaction", ""))
    if "transaction" in values:
        return _of_session(values["transaction"])
    raise Elsewhere(see_other("/login"))


def succeed(candidate: Candidate, *, amr: list[str]) -> Response:
    """Go on with a candidate who proved a second factor; `amr` says which (RFC 8176). Raises Elsewhere if another tab was first."""
    if candidate.session is not None:
        assert candidate.parked is not None
        raise_session(candidate.session, candidate.parked, amr=factors.together(candidate.session.amr, amr))
        return go_on(candidate.parked)
    pending = finish(candidate)
    both = factors.together(pending.amr, amr)
    return complete(candidate.account, candidate.parked, acr=factors.TWO_FACTORS, amr=both, then=pending.then)


def finish(candidate: Candidate) -> PendingSignIn:
    """Spend the pending sign-in; raises Elsewhere if it is spent already."""
    pending = candidate.pending
    assert pending is not None
    if not factors.pending.finish(pending):
        raise Elsewhere(_sign_in_again(candidate.parked))
    return pending


def _of_pending(identifier: str, transaction: str) -> Candidate:
    pending = factors.pending.find(identifier)
    if pending is None:
        raise Elsewhere(_sign_in_again(_parked(transaction) if transaction else None))
    parked = _parked(pending.transaction) if pending.transaction else None
    account = pending.account()
    if account is None:
        raise Elsewhere(_sign_in_again(parked))
    return Candidate(account, factors.of(account.id), parked, pending=pending)


def _of_session(transaction: str) -> Candidate:
    parked = _parked(transaction)
    session = sessions.current()
    if session is None:
        raise Elsewhere(see_other(f"/login?transaction={parked.id}"))
    if factors.reaches(session.acr, acr_needed(session.account, parked)):
        raise Elsewhere(go_on(parked))
    found = factors.of(session.account_id)
    # Without a factor the password comes first, because a new one is set up on the strength of it.
    if not found or now() - session.auth_time > current_server.settings.second_factor_step_up_age:
        raise Elsewhere(see_other(f"/login?transaction={parked.id}"))
    return Candidate(session.account, found, parked, session=session)


def _parked(transaction: str) -> ParkedRequest:
    parked = parked_requests.find(transaction)
    parked_requests.bind(parked)
    return parked


def _sign_in_again(parked: ParkedRequest | None) -> Response:
    return see_other("/login?because=ended" + (f"&transaction={parked.id}" if parked is not None else ""))
