"""What happens to an authorization request: reading STEPS is reading OIDC Core §3.1.2.

Each step takes the walk and returns a response to end it, or None to go on.
"""

from __future__ import annotations

from collections.abc import Callable

from authlib.oauth2 import OAuth2Error
from flask import Response

from .. import consents, headers, parked_requests, sessions
from ..database import now, transact
from ..errors import ProtocolError
from ..parked_requests import ParkedRequest
from ..responses import authorization_response, see_other
from ..tokens import Authorization
from .authentication_context import SecondFactorNeeded, acr_of, essential_acr, is_strong_enough, unmet
from .consent import is_needed, show
from .validation import CHECKS, PAGE_CHECKS, PROMPT_CREATE
from .walk import Walk


def validate(walk: Walk) -> Response | None:
    """Refuse what may not be answered: by a page until client and redirect URI are known, by a redirect from then on."""
    for check in PAGE_CHECKS:
        check(walk)
    try:
        for check in CHECKS:
            check(walk)
    except OAuth2Error as error:
        return walk.refuse(error)
    if walk.parameters.get("display") == "popup":
        headers.keep_opener()
    return None


def stop_if_cancelled(walk: Walk) -> Response | None:
    """The person pressed Cancel on the sign-in page."""
    if walk.parked is None or not walk.parked.denied:
        return None
    if walk.parked.is_unmet and essential_acr(walk):
        return end_with(walk, unmet())
    return end_with(walk, ProtocolError("access_denied", "The person cancelled."))


def require_sign_in(walk: Walk) -> Response | None:
    """Somebody is signed in, recently enough, and is the one the app means; else to the sign-in page."""
    session = sessions.seen()
    problem = _what_is_missing(walk, session)
    if problem is None:
        walk.session = session
        return None
    if walk.may_not_ask or (session is not None and _has_decided(walk, session) and not _is_meant(walk, session)):
        return end_with(walk, problem)  # asking again would lead here again
    page = "/login/second-factor" if isinstance(problem, SecondFactorNeeded) else "/login"
    if PROMPT_CREATE in walk.prompt and (session is None or not _is_fresh(walk, session)):
        page = "/signup"  # which leads to /login whoever has an account after all
    return see_other(f"{page}?transaction={_park(walk).id}")


def _what_is_missing(walk: Walk, session: sessions.Session | None) -> ProtocolError | None:
    if session is None:
        return ProtocolError("login_required", "Nobody is signed in.")
    if not _is_meant(walk, session):
        return ProtocolError("login_required", "The person that the app means is not signed in.")
    is_fresh = _is_fresh(walk, session)
    if walk.prompt & {"login", PROMPT_CREATE} and not is_fresh:
        return ProtocolError("login_required", "A fresh sign-in was asked for.")
    if walk.max_age is not None and not is_fresh and now() - session.auth_time > walk.max_age:
        return ProtocolError("login_required", "The sign-in is older than max_age.")
    if "select_account" in walk.prompt and (walk.parked is None or walk.parked.chosen_sid != session.sid):
        return ProtocolError("account_selection_required", "The person must choose an account.")
    # Last, because what comes before asks for the password, and the factor follows that by itself.
    return None if is_strong_enough(walk, session) else SecondFactorNeeded()


def _is_meant(walk: Walk, session: sessions.Session) -> bool:
    """Whether this is the person of the id_token_hint, and of a `sub` that was asked for by value (OIDC Core §5.5.1)."""
    wanted = [walk.hinted_sub] if walk.hinted_sub else []
    subject = walk.claims.get("id_token", {}).get("sub")
    if subject and "value" in subject:
        wanted.append(subject["value"])
    return all(sub == session.account_id for sub in wanted)


def _is_fresh(walk: Walk, session: sessions.Session) -> bool:
    """Only a sign-in that came after this request was parked answers prompt=login or a small max_age."""
    return walk.parked is not None and session.auth_time >= walk.parked.parked_at


def _has_decided(walk: Walk, session: sessions.Session) -> bool:
    """The person signed in for this request, or chose to continue as who they are."""
    return _is_fresh(walk, session) or (walk.parked is not None and walk.parked.chosen_sid == session.sid)


def require_consent(walk: Walk) -> Response | None:
    """The person allowed this client this scope, now or before; else the consent page."""
    if walk.consented or not is_needed(walk):
        return None
    if walk.may_not_ask:
        return end_with(walk, ProtocolError("consent_required", "The person must be asked for consent."))
    return see_other(f"/consent?transaction={_park(walk).id}")


def end_with(walk: Walk, error: ProtocolError) -> Response:
    """Refuse for good: a request that was parked is spent, so that the app gets one answer to one state."""
    parked = walk.parked
    if parked is not None:
        transact(lambda: parked_requests.complete(parked))
    return walk.refuse(error)


def respond(walk: Walk) -> Response:
    """Issue the code: the parked request is spent, the consent remembered and the code stored in one transaction."""
    session = walk.session
    assert session is not None
    walk.request.client = walk.client
    walk.request.authorization = Authorization(
        client_id=walk.client.client_id,
        account_id=session.account_id,
        scope=walk.scope,
        resources=[resource.identifier for resource in walk.resources],
        auth_time=int(session.auth_time),
        acr=acr_of(walk, session),
        amr=session.amr,
        nonce=walk.parameters.get("nonce", ""),
        claims=walk.claims,
        sid=session.sid,
        session_expires_at=session.expires_at,
        redirect_uri=walk.parameters.get("redirect_uri", ""),
        code_challenge=walk.parameters.get("code_challenge", ""),
    )
    code = walk.grant.generate_authorization_code()

    def issue_code() -> None:
        if walk.parked is not None:
            parked_requests.complete(walk.parked)
        if walk.consented:
            consents.remember(
                session.account_id, walk.client.client_id, walk.shared, walk.request.authorization.resources
            )
        walk.grant.save_authorization_code(code, walk.request)

    # A code that a power failure takes was redeemed by nobody, or what it gave would be gone too.
    transact(issue_code, lasting=walk.consented)
    return authorization_response(walk.redirect_uri, walk.response_mode, walk.state, code=code)


Step = Callable[[Walk], Response | None]
STEPS: tuple[Step, ...] = (validate, stop_if_cancelled, require_sign_in, require_consent, respond)


#: What must hold before the consent page is shown, and again before its buttons count.
STEPS_BEFORE_CONSENT = STEPS[:3]


def take(walk: Walk, steps: tuple[Step, ...]) -> Response | None:
    """Walk the steps until one answers; None when all of them let the request pass."""
    for step in steps:
        response = step(walk)
        if response is not None:
            return response
    return None


def answer(walk: Walk) -> Response:
    """Walk all the steps; the last one answers."""
    response = take(walk, STEPS)
    assert response is not None
    return response


def show_consent(walk: Walk) -> Response:
    """The consent page for a parked request, unless an earlier step has something to say first."""
    return take(walk, STEPS_BEFORE_CONSENT) or show(walk)


def _park(walk: Walk) -> ParkedRequest:
    required_acr = essential_acr(walk)
    if walk.parked is None:
        walk.parked = parked_requests.park(
            walk.parameters.as_lists(), walk.client.client_id, walk.redirect_uri, hinted_sub=walk.hinted_sub
        )
    if walk.parked.required_acr != required_acr:
        walk.parked.required_acr = required_acr
        parked_requests.save(walk.parked)
    return walk.parked
