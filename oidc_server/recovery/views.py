"""The pages on which a person asks for a new password and sets it. Rows EN-03, RC-02 to RC-08."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from .. import csrf, languages, parked_requests, rate_limits, recoveries, sessions, strict_form
from ..confirmations import Confirmation, MatchedCode
from ..errors import PageError, Pages
from ..form import Form
from ..languages import translate
from ..networks import client_network
from ..responses import see_other
from ..server import current_server

blueprint = Pages("recovery", __name__)

_LONGEST_LOGIN = 254


@blueprint.get("/recover")
def show() -> Response:
    """Who are you?"""
    return _ask(_alive(strict_form.read_query(request)))


@blueprint.post("/recover")
def ask() -> Response:
    """Send a mail, if there is somebody to send it to; the answer is the same."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "recover")
    transaction = _alive(form)
    login = form.get("login", "").strip()
    if not login or len(login) > _LONGEST_LOGIN:
        return _ask(transaction, login=login[:_LONGEST_LOGIN], is_empty=True, status=422)
    try:
        rate_limits.hit("recover", client_network(request))
    except rate_limits.RateLimited as error:
        return _waiting(_ask(transaction, login=login, wait=error.retry_after, status=429), error.retry_after)
    handle = recoveries.begin(
        login, language=languages.current(), network=client_network(request), transaction=transaction
    )
    return see_other(_with(f"/reset?request={handle}", transaction))


@blueprint.get("/reset")
def show_reset() -> Response:
    """The form of a link, or the page that waits for the code."""
    query = strict_form.read_query(request)
    if "link" in query:
        return _form(query["link"], {"link": query["link"]})
    if "request" in query:
        return _ask_for_code(query)
    return see_other("/recover")


@blueprint.post("/reset")
def reset() -> Response:
    """Look at the code, or set the password; every step shows the proof again, so none can be left out (RC-04, SE-09)."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "reset")
    rate_limits.hit("confirm", client_network(request))
    if "link" in form:
        proof: str | MatchedCode = form["link"]
        fields = {"link": form["link"]}
    elif "request" in form:
        fields = {"request": form["request"], "code": form.get("code", "")}
        try:
            proof = recoveries.match_code(fields["request"], fields["code"])
        except recoveries.LinkRefused as error:
            if error.reason == "unknown":
                return _ask_for_code(form, wrong=True, status=422)
            raise
    else:
        raise PageError("bad_request", developer="The form names no link and no code.")
    if "password" not in form and "request" in form and form.get("step") != "password":
        return _form(proof, fields)
    return _set(form, proof, fields)


@blueprint.get("/reset/done")
def show_done() -> Response:
    """The new password is set; on to signing in with it."""
    transaction = _alive(strict_form.read_query(request))
    return _page("recovery/done.html", login_url=_with("/login", transaction), session=sessions.current())


@blueprint.errorhandler(recoveries.LinkRefused)
def explain(error: recoveries.LinkRefused) -> Response:
    """A link that does nothing any more, and the button that asks for a new one."""
    status = 410 if error.reason in ("expired", "used") else 400
    return _page("recovery/link_ended.html", status, reason=error.reason)


def _set(form: Form, proof: str | MatchedCode, fields: dict[str, str]) -> Response:
    confirmation = recoveries.look(proof)
    session = _session_of(confirmation)
    keep_sid = session.sid if session is not None and form.get("keep") == "yes" else None
    if not form.get("password"):
        return _form(proof, fields, reasons=[translate("Choose a password.")], status=422)
    try:
        recoveries.reset(proof, form["password"], keep_sid=keep_sid, network=client_network(request))
    except recoveries.PasswordRefused as error:
        keep = keep_sid is not None
        return _form(proof, fields, keep=keep, reasons=error.reasons, status=422)
    except recoveries.Busy as error:
        return _waiting(_form(proof, fields, wait=error.retry_after, status=503), error.retry_after)
    parked = _alive(Form([("transaction", str(confirmation.data.get("transaction") or ""))]))
    return see_other(_with("/reset/done", parked))


def _form(
    proof: str | MatchedCode,
    fields: dict[str, str],
    *,
    keep: bool = False,
    reasons: list[str] | None = None,
    wait: int | None = None,
    status: int = 200,
) -> Response:
    confirmation = recoveries.look(proof)
    return _page(
        "recovery/new_password.html",
        status,
        hidden_fields=list(fields.items()),
        email=confirmation.email,
        least=current_server.settings.password_min_length,
        may_keep=_session_of(confirmation) is not None,
        keep=keep,
        reasons=reasons or [],
        wait=wait,
    )


def _session_of(confirmation: Confirmation) -> sessions.Session | None:
    """The session of this browser if it is that very person's: only who is signed in here can choose to stay so."""
    session = sessions.current()
    return session if session is not None and session.account_id == confirmation.account_id else None


def _ask(
    transaction: str, *, login: str = "", is_empty: bool = False, wait: int | None = None, status: int = 200
) -> Response:
    return _page(
        "recovery/ask.html",
        status,
        transaction=transaction,
        login=login,
        is_empty=is_empty,
        wait=wait,
        login_url=_with("/login", transaction),
    )


def _ask_for_code(values: Form, *, wrong: bool = False, status: int = 200) -> Response:
    transaction = _alive(values)
    return _page(
        "recovery/check_mail.html",
        status,
        handle=values["request"],
        transaction=transaction,
        wrong=wrong,
        minutes=current_server.settings.password_reset_lifetime // 60,
        again_url=_with("/recover", transaction),
        login_url=_with("/login", transaction),
    )


def _alive(values: Form) -> str:
    """The parked request that waits in this browser; one that does not is no reason to stop somebody who forgot the password."""
    identifier = values.get("transaction", "")
    try:
        return parked_requests.find(identifier).id if identifier else ""
    except PageError:
        return ""


def _with(path: str, transaction: str) -> str:
    if not transaction:
        return path
    return f"{path}{'&' if '?' in path else '?'}transaction={transaction}"


def _page(template: str, status: int = 200, **values: object) -> Response:
    return make_response(render_template(template, client=None, **values), status)


def _waiting(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response
