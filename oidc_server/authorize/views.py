"""HTTP of the authorization endpoint and the consent page."""

from __future__ import annotations

from flask import Response, request

from .. import audit, csrf, here, languages, parked_requests, strict_form
from ..database import now
from ..errors import PageError, Pages, ProtocolError
from ..form import Form
from ..parked_requests import ParkedRequest
from ..responses import see_other
from ..server import Request, current_server
from . import steps
from .consent import is_approved
from .walk import Walk

blueprint = Pages("authorize", __name__)


@blueprint.route("/authorize", methods=["GET", "POST"], provide_automatic_options=False)
def authorize() -> Response:
    """The authorization endpoint (RFC 6749 §3.1). HEAD and link prefetching change nothing."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return Response(status=204)
    parameters = strict_form.read_authorization_parameters(here.request())
    if "transaction" in parameters and request.method == "GET" and "client_id" not in parameters:
        return steps.answer(_walk_on(parameters["transaction"]))
    languages.learn(ui_locales=parameters.get("ui_locales"))
    walk = Walk(_oauth_request(parameters))
    if request.method == "POST":
        # A cross-site POST brings no cookies (SameSite=Lax), so it is parked and goes on as a GET, which does.
        if (refused := steps.validate(walk)) is not None:
            return refused
        parked = parked_requests.park(
            parameters.as_lists(), walk.client.client_id, walk.redirect_uri, hinted_sub=walk.hinted_sub, bound=False
        )
        return see_other(f"/authorize?transaction={parked.id}")
    return steps.answer(walk)


@blueprint.get("/consent")
def show_consent() -> Response:
    """The consent page of a parked request."""
    transaction = strict_form.read_query(request).get("transaction")
    if transaction is None:
        raise PageError("request_ended", detail="consent without a transaction")
    return steps.show_consent(_walk_on(transaction))


@blueprint.post("/consent")
def decide() -> Response:
    """Allow, deny, or change the person; decided from the parked request, whatever else the form says."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "consent")
    try:
        return _decide(form)
    except PageError as error:
        if error.kind == "request_ended":
            error.status = 403  # an approval counts once (RFC 6819 §4.4.1.10)
        raise


def _decide(form: Form) -> Response:
    walk = _walk_on(form.get("transaction", ""))
    parked = walk.parked
    assert parked is not None
    if form.get("decision") == "switch":
        others = [one for one in parked.parameter("prompt").split() if one not in ("login", "select_account")]
        parked.parameters["prompt"] = [" ".join(["login", *others])]
        parked.parked_at = now()  # so that the sign-in of the person who leaves no longer counts as fresh
        parked_requests.save(parked)
        return see_other(f"/login?transaction={parked.id}")
    earlier = steps.take(walk, steps.STEPS_BEFORE_CONSENT)
    if earlier is not None:
        return earlier
    if not is_approved(walk, form.get("approval", "")):
        raise PageError(
            "stale_form", error="access_denied", developer="The approval does not belong to this request.", status=403
        )
    session = walk.session
    assert session is not None
    if form.get("decision") != "allow":
        audit.record(
            audit.CONSENT_DENIED,
            client_id=walk.client.client_id,
            account_id=session.account_id,
            scope=" ".join(walk.scope),
        )
        return steps.end_with(walk, ProtocolError("access_denied", "The person did not allow it."))
    audit.record(
        audit.CONSENT_GIVEN, client_id=walk.client.client_id, account_id=session.account_id, scope=" ".join(walk.scope)
    )
    walk.consented = True
    return steps.respond(walk)


def _walk_on(identifier: str) -> Walk:
    parked: ParkedRequest = parked_requests.find(identifier)
    parked_requests.bind(parked)
    return Walk(_oauth_request(Form.from_lists(parked.parameters)), parked=parked)


def _oauth_request(form: Form) -> Request:
    return current_server.create_oauth2_request(form)
