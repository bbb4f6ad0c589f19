"""The page where a person creates an account; by invitation, or where everybody may."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from .. import csrf, languages, rate_limits, registrations, sessions, strict_form
from ..accounts.identifiers import IdentifierRefused, email_of
from ..errors import Pages
from ..form import Form
from ..networks import client_network
from ..parked_requests import ParkedRequest
from ..registrations import fields
from ..responses import see_other
from ..server import current_server
from . import waiting
from .entering import enter

blueprint = Pages("signup", __name__)


@blueprint.get("/signup")
def show() -> Response:
    """The form, or why there is none."""
    query = strict_form.read_query(request)
    parked = waiting.of(query)
    if parked is None and "invitation" not in query and sessions.current() is not None:
        return see_other("/account")
    return _form(query, parked, _email_of_invitation(query))


@blueprint.post("/signup")
def sign_up() -> Response:
    """Create the account, and go in or ask for the mail to be answered first."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "signup")
    parked = waiting.of(form)
    invited = _email_of_invitation(form)
    if invited is None and not registrations.is_open():
        return _closed(parked)
    email = invited if invited is not None else form.get("email", "")
    try:
        rate_limits.hit("sign_up", client_network(request))
    except rate_limits.RateLimited as error:
        return _form(form, parked, invited, wait=error.retry_after, status=429)
    if problems := fields.problems_of(form, email):
        return _form(form, parked, invited, problems=problems, status=422)
    try:
        registered = registrations.register(
            email=email,
            password=form["password"],
            username=form.get("username"),
            claims=fields.claims_of(form),
            language=languages.current(),
            invitation=form.get("invitation"),
            network=client_network(request),
            browser=registrations.browser_hash(),
            transaction=parked.id if parked is not None else "",
        )
    except registrations.AccountExists as error:
        return _form(form, parked, invited, taken=error.field, problems=fields.taken(error.field), status=409)
    except registrations.Busy as error:
        return _form(form, parked, invited, wait=error.retry_after, status=503)
    sent = waiting.with_transaction(f"/verify?request={registered.handle}", parked)
    account = registered.account
    if account is None or registrations.must_verify(account):
        return see_other(sent)
    return enter(account, parked, sent if registered.handle else "/account")


def _email_of_invitation(values: Form) -> str | None:
    """The invited address; None without a link, and Refused, which the page explains, for one that has ended."""
    link_secret = values.get("invitation")
    if link_secret is None or not registrations.is_possible():
        return None
    return registrations.look_at_invitation(link_secret).email


@blueprint.errorhandler(registrations.LinkRefused)
def explain(error: registrations.LinkRefused) -> Response:
    """An invitation that cannot be used any more."""
    text = render_template("signup/invitation_ended.html", reason=error.reason, client=None)
    return make_response(text, 410 if error.reason in ("expired", "used") else 400)


def _closed(parked: ParkedRequest | None) -> Response:
    text = render_template(
        "signup/closed.html",
        client=waiting.app_of(parked),
        login_url=waiting.with_transaction("/login", parked),
        by_invitation=registrations.is_possible(),
    )
    return make_response(text, 403)


def _form(
    values: Form,
    parked: ParkedRequest | None,
    invited: str | None,
    *,
    problems: fields.Problems | None = None,
    taken: str | None = None,
    wait: int | None = None,
    status: int = 200,
) -> Response:
    if invited is None and not registrations.is_open():
        return _closed(parked)
    settings = current_server.settings
    response = make_response(
        render_template(
            "signup/sign_up.html",
            client=waiting.app_of(parked),
            transaction=parked.id if parked is not None else None,
            invitation=values.get("invitation") if invited is not None else None,
            email=invited if invited is not None else _typed(values, "email", 254) or _hint(parked),
            name=_typed(values, "name", 100),
            username=_typed(values, "username", 64),
            may_choose_username=not settings.hide_accounts or invited is not None,
            least=settings.password_min_length,
            problems=problems or {},
            taken=taken,
            wait=wait,
            login_url=waiting.with_transaction("/login", parked),
        ),
        status,
    )
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def _typed(values: Form, name: str, most: int) -> str:
    # Only what the person typed: a link that somebody made fills in nothing.
    return values.get(name, "")[:most] if request.method == "POST" else ""


def _hint(parked: ParkedRequest | None) -> str:
    """The app's login_hint, if it is an address."""
    try:
        return email_of(parked.parameter("login_hint")) if parked is not None else ""
    except IdentifierRefused:
        return ""
