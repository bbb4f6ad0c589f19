"""The sign-in page. It knows a transaction (the parked authorization request) or none; both end on a page that leads on."""

from __future__ import annotations

from functools import partial

from flask import Response, make_response, render_template, request

from .. import accounts, csrf, factors, parked_requests, rate_limits, sessions, strict_form
from ..errors import Pages
from ..form import Form
from ..parked_requests import ParkedRequest
from ..responses import see_other
from . import destination, password
from .completion import acr_needed, complete, go_on
from .waiting_app import app_of

blueprint = Pages("login", __name__)


@blueprint.get("/login")
def show() -> Response:
    """The sign-in form; without a transaction and already signed in, the way to the person's account."""
    query = strict_form.read_query(request)
    parked = parked_of(query)
    session = sessions.current()
    if parked is None:
        then, again = destination.of(query), destination.wants_proof(query)
        if session is not None and not again:
            return see_other(then)
        username = session.account.username if session is not None else ""
        return page(None, username=username, then=then, again=again and session is not None, ended=_has_ended(query))
    # A second tab finishes after the first one signed in: /authorize decides whether that is enough.
    if session is not None and _is_enough(parked, session):
        return go_on(parked)
    return page(parked, username=_hint(parked), ended=_has_ended(query))


@blueprint.post("/login")
def sign_in() -> Response:
    """Check the credentials, open a session, and go on with the parked request."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "login")
    parked = parked_of(form)
    action = form.get("action")
    if parked is not None and action == "cancel":
        parked.denied = True
        parked_requests.save(parked)
        return go_on(parked)
    if parked is not None and action == "continue" and (session := sessions.current()) is not None:
        parked.chosen_sid = session.sid
        parked_requests.save(parked)
        return go_on(parked)
    then = destination.of(form)
    again = destination.wants_proof(form) and sessions.current() is not None
    form_again = partial(page, parked, username=form.get("username", ""), then=then, again=again)
    try:
        account = password.authenticate(form)
    except accounts.WrongCredentials:
        return form_again(failed=True, status=401)
    except (accounts.TooManyAttempts, rate_limits.RateLimited) as error:
        return form_again(wait=error.retry_after, status=429)
    except accounts.Busy:
        return form_again(wait=2, status=503)
    return complete(account, parked, acr=password.ACR, amr=password.AMR, then=then)


def parked_of(values: Form) -> ParkedRequest | None:
    """The parked request that a query or form names, tied to this browser from now on. Raises PageError."""
    identifier = values.get("transaction")
    if identifier is None:
        return None
    parked = parked_requests.find(identifier)
    parked_requests.bind(parked)
    return parked


def _is_enough(parked: ParkedRequest, session: sessions.Session) -> bool:
    # Never more than what /authorize asks for, or the two would send the browser to and fro for ever.
    has_chosen = "select_account" not in parked.parameter("prompt").split() or parked.chosen_sid == session.sid
    is_proven = factors.reaches(session.acr, acr_needed(session.account, parked))
    return has_chosen and is_proven and session.auth_time >= parked.parked_at


def _has_ended(query: Form) -> bool:
    """Whether the page of the second factor sent the person back, because what it waited for is over."""
    return query.get("because") == "ended"


def _hint(parked: ParkedRequest) -> str:
    return parked.parameter("login_hint")[:254]


def page(
    parked: ParkedRequest | None,
    *,
    username: str = "",
    then: str = destination.DEFAULT,
    again: bool = False,
    ended: bool = False,
    failed: bool = False,
    wait: int | None = None,
    status: int = 200,
) -> Response:
    """The sign-in page, with what went wrong; `wait` is in seconds."""
    client = app_of(parked)
    session = sessions.current()
    response = make_response(
        render_template(
            "login/sign_in.html",
            client=client,
            transaction=parked.id if parked is not None else None,
            username=username,
            then=then,
            again=again,
            ended=ended,
            failed=failed,
            wait=wait,
            account=session.account if session is not None and parked is not None and _may_continue(parked) else None,
            cancel_available=parked is not None,
        ),
        status,
    )
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def _may_continue(parked: ParkedRequest) -> bool:
    """Whether the person who is signed in may go on without the password: not when the app asked for a fresh sign-in."""
    parameters = parked.parameters
    prompt = (parameters.get("prompt") or [""])[0].split()
    return "select_account" in prompt and "login" not in prompt and "max_age" not in parameters
