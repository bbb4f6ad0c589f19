"""The sign-in page. It knows a transaction (the parked authorization request) or none; both end on a page that leads on."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from .. import accounts, csrf, headers, parked_requests, rate_limits, sessions, strict_form
from ..clients import store as clients
from ..database import transact
from ..errors import Pages
from ..parked_requests import ParkedRequest
from ..responses import see_other
from ..strict_form import Form
from ..tokens import families
from . import password

blueprint = Pages("login", __name__)


@blueprint.get("/login")
def show() -> Response:
    """The sign-in form; without a transaction and already signed in, a page that says so."""
    parked = _parked(strict_form.read_query(request))
    session = sessions.current()
    if parked is None:
        return _signed_in(session) if session is not None else _form(None)
    # A second tab finishes after the first one signed in: /authorize decides whether that is enough.
    if session is not None and _is_enough(parked, session):
        return _go_on(parked)
    return _form(parked, username=_hint(parked))


@blueprint.post("/login")
def sign_in() -> Response:
    """Check the credentials, open a session, and go on with the parked request."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "login")
    parked = _parked(form)
    action = form.get("action")
    if parked is not None and action == "cancel":
        parked.denied = True
        parked_requests.save(parked)
        return _go_on(parked)
    if parked is not None and action == "continue" and (session := sessions.current()) is not None:
        parked.chosen_sid = session.sid
        parked_requests.save(parked)
        return _go_on(parked)
    try:
        account = password.authenticate(form)
    except accounts.WrongCredentials:
        return _form(parked, username=form.get("username", ""), failed=True, status=401)
    except (accounts.TooManyAttempts, rate_limits.RateLimited) as error:
        return _form(parked, username=form.get("username", ""), wait=error.retry_after, status=429)
    except accounts.Busy:
        return _form(parked, username=form.get("username", ""), wait=2, status=503)
    return _complete(account, parked)


def _complete(account: Any, parked: ParkedRequest | None) -> Response:
    earlier = sessions.current()
    if earlier is not None and earlier.account_id != account.id:
        transact(lambda: families.revoke_session(earlier.sid))  # another person took the browser over
    session = sessions.start(account.id, acr=password.ACR, amr=password.AMR)
    if parked is None:
        return see_other("/login")
    parked.chosen_sid = session.sid
    parked_requests.save(parked)
    return _go_on(parked)


def _parked(values: Form) -> ParkedRequest | None:
    identifier = values.get("transaction")
    if identifier is None:
        return None
    parked = parked_requests.find(identifier)
    parked_requests.bind(parked)
    return parked


def _is_enough(parked: ParkedRequest, session: sessions.Session) -> bool:
    # Never more than what /authorize asks for, or the two would send the browser to and fro for ever.
    has_chosen = "select_account" not in parked.parameter("prompt").split() or parked.chosen_sid == session.sid
    return has_chosen and session.auth_time >= parked.parked_at


def _hint(parked: ParkedRequest) -> str:
    return parked.parameter("login_hint")[:254]


def _go_on(parked: ParkedRequest) -> Response:
    return see_other(f"/authorize?transaction={parked.id}")


def _form(
    parked: ParkedRequest | None,
    *,
    username: str = "",
    failed: bool = False,
    wait: int | None = None,
    status: int = 200,
) -> Response:
    client = clients.find_active(parked.client_id) if parked is not None else None
    session = sessions.current()
    if parked is not None and parked.parameter("display") == "popup":
        headers.keep_opener()
    if parked is not None and client is not None:
        headers.allow_form_action(parked.redirect_uri, *client.redirect_uris, client.client_uri or "")
    response = make_response(
        render_template(
            "login/sign_in.html",
            client=client,
            transaction=parked.id if parked is not None else None,
            username=username,
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


def _signed_in(session: sessions.Session) -> Response:
    return make_response(render_template("login/signed_in.html", account=session.account))
