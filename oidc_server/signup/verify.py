"""What the mails about addresses lead to: confirm an address, change it, undo a change; by link, or by code where the mail was asked for.

A GET shows one button; the POST does it. In a browser other than the one that signed up the link asks for the password that was chosen, for
else the click of an address's owner could confirm the sign-up of a stranger.
"""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from .. import accounts, csrf, languages, rate_limits, registrations, sessions, strict_form
from ..confirmations import Confirmation, MatchedCode
from ..errors import PageError, Pages
from ..form import Form
from ..networks import client_network
from ..responses import see_other
from ..server import current_server
from . import waiting
from .entering import enter, may_enter

blueprint = Pages("verify", __name__)


@blueprint.get("/verify")
def show() -> Response:
    """The page of a link, or the one that waits for the code."""
    query = strict_form.read_query(request)
    if "link" in query:
        return _confirm(query["link"], registrations.look_at(query["link"]))
    if "change" in query:
        confirmation = registrations.look_at_email_change(query["change"])
        return _page("signup/change.html", secret=query["change"], email=confirmation.email)
    if "undo" in query:
        confirmation = registrations.look_at_undo(query["undo"])
        return _page("signup/undo.html", secret=query["undo"], email=confirmation.email)
    if "request" in query:
        return _ask_for_code(query)
    return _page("signup/ask_again.html")


@blueprint.post("/verify")
def answer() -> Response:
    """Do what the link is for, or what the code is for."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "verify")
    rate_limits.hit("confirm", client_network(request))
    if form.get("action") == "again":
        return _send_again(form)
    if "change" in form:
        return _change(form["change"])
    if "undo" in form:
        registrations.undo_email_change(form["undo"])
        return see_other("/verify/undone")
    if "request" in form:
        return _take_code(form)
    if "link" not in form:
        raise PageError("bad_request", developer="The form names no link and no code.")
    if form.get("action") == "disown":
        registrations.disown(form["link"])
        return see_other("/verify/disowned")
    return _take_link(form)


@blueprint.get("/verify/<any(confirmed, changed, undone, disowned):done>")
def show_done(done: str) -> Response:
    """What was done, and the way on."""
    parked = waiting.if_alive(strict_form.read_query(request).get("transaction", ""))
    on = waiting.with_transaction("/login", parked)
    return _page("signup/done.html", done=done, login_url=on, session=sessions.current())


@blueprint.errorhandler(registrations.LinkRefused)
def explain(error: registrations.LinkRefused) -> Response:
    """A link that does nothing any more, and what to do instead."""
    session = sessions.current()
    status = 410 if error.reason in ("expired", "used") else 400
    return _page("signup/link_ended.html", status, reason=error.reason, session=session, hidden=_is_hidden())


@blueprint.errorhandler(registrations.AccountExists)
def explain_taken(_error: registrations.AccountExists) -> Response:
    """Somebody proved the address in the meantime."""
    return _page("signup/link_ended.html", 409, reason="taken", session=sessions.current(), hidden=_is_hidden())


def _confirm(secret: str, confirmation: Confirmation, problem: str = "", status: int = 200) -> Response:
    return _page(
        "signup/confirm.html",
        status,
        secret=secret,
        email=confirmation.email,
        asks_password=not registrations.is_this_browser(confirmation),
        may_disown=bool(confirmation.data.get("signed_up")),
        problem=problem,
    )


def _take_link(form: Form) -> Response:
    secret = form["link"]
    confirmation = registrations.look_at(secret)
    if not registrations.is_this_browser(confirmation):
        try:
            knows = registrations.knows_password(
                confirmation, form.get("password", ""), network=client_network(request), device=csrf.browser_id()
            )
        except accounts.TooManyAttempts as error:
            return _waiting(_confirm(secret, confirmation, "wait", 429), error.retry_after)
        except accounts.Busy as error:
            return _waiting(_confirm(secret, confirmation, "wait", 503), error.retry_after)
        if not knows:
            return _confirm(secret, confirmation, "password", 401)
    return _go_on(secret)


def _take_code(form: Form) -> Response:
    handle, code = form["request"], form.get("code", "")
    is_change = form.get("for") == "change"
    match = registrations.match_email_change_code if is_change else registrations.match_code
    try:
        proof = match(handle, code)
    except registrations.LinkRefused as error:
        if error.reason == "unknown":
            return _ask_for_code(form, wrong=True, status=422)
        raise
    if is_change:
        return _change(proof)
    return _go_on(proof)


def _go_on(proof: str | MatchedCode) -> Response:
    verified = registrations.verify(proof)
    confirmation = verified.confirmation
    parked = waiting.if_alive(str(confirmation.data.get("transaction") or ""))
    session = sessions.current()
    if session is not None and session.account_id == verified.account.id:
        return see_other("/verify/confirmed")
    if may_enter(verified.account, confirmation):
        return enter(verified.account, parked, "/verify/confirmed")
    return see_other(waiting.with_transaction("/verify/confirmed", parked))


def _change(proof: str | MatchedCode) -> Response:
    registrations.confirm_email_change(proof, network=client_network(request))
    return see_other("/verify/changed")


def _send_again(form: Form) -> Response:
    """Another mail to the person who is signed in, or to the address that was typed: the same answer whoever has it."""
    rate_limits.hit("sign_up", client_network(request))
    session = sessions.current()
    language, network = languages.current(), client_network(request)
    if session is not None and "email" not in form and session.account.email and not session.account.email_verified:
        handle = registrations.begin_verification(
            session.account, language, network=network, browser=registrations.browser_hash()
        )
    elif "email" in form and not _is_hidden():
        handle = registrations.ask_again(form["email"], language, network=network, browser=registrations.browser_hash())
    else:
        return see_other("/signup" if registrations.is_open() else "/login")
    return see_other(f"/verify?request={handle}")


def _ask_for_code(values: Form, *, wrong: bool = False, status: int = 200) -> Response:
    parked = waiting.if_alive(values.get("transaction", ""))
    session = sessions.current()
    return _page(
        "signup/check_mail.html",
        status,
        handle=values["request"],
        purpose=values.get("for", ""),
        transaction=parked.id if parked is not None else None,
        client=waiting.app_of(parked),
        wrong=wrong,
        session=session,
        hidden=_is_hidden(),
    )


def _page(template: str, status: int = 200, **values: object) -> Response:
    return make_response(render_template(template, **{"client": None} | values), status)


def _waiting(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response


def _is_hidden() -> bool:
    return current_server.settings.hide_accounts
