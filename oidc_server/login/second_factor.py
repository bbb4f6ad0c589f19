"""The page that asks for a second factor, after the password or in the middle of a session that an app asks more of (step-up).

Ways to answer are offered by their own condition: a code of an authenticator app or a recovery code here, others in the block
`other_factors` of the template with a POST of their own, which calls candidate.find() and candidate.succeed() as this does.
"""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from .. import csrf, factors, parked_requests, strict_form
from ..accounts import TooManyAttempts
from ..errors import Pages
from ..networks import client_network
from ..rate_limits import RateLimited
from ..responses import see_other
from . import candidate as candidates
from .candidate import Candidate, Elsewhere
from .completion import go_on
from .waiting_app import app_of

blueprint = Pages("second_factor", __name__)
#: The address, and what the CSRF tokens of its forms are for.
PATH, PURPOSE = "/login/second-factor", "second-factor"


@blueprint.errorhandler(Elsewhere)
def _lead(error: Elsewhere) -> Response:
    return error.response


@blueprint.get(PATH)
def show() -> Response:
    """The question; somebody who has nothing to answer with is led to set a factor up."""
    candidate = candidates.find(strict_form.read_query(request))
    if not candidate.factors:
        return see_other(f"{PATH}/new?{candidate.query}")
    return page(candidate)


@blueprint.post(PATH)
def answer() -> Response:
    """Check a code, and go on; or stop here."""
    form = strict_form.read_page_form(request)
    csrf.check(form, PURPOSE)
    candidate = candidates.find(form)
    if form.get("action") == "cancel":
        return cancel(candidate)
    if not candidate.factors:
        return see_other(f"{PATH}/new?{candidate.query}")
    try:
        proof = factors.prove(
            candidate.account, form.get("code", ""), network=client_network(request), device=csrf.browser_id()
        )
    except factors.WrongCode:
        return page(candidate, failed=form.get("way", "code"), status=401)
    except (TooManyAttempts, RateLimited) as error:
        return page(candidate, wait=error.retry_after, status=429)
    return candidates.succeed(candidate, amr=[proof.amr])


def cancel(candidate: Candidate) -> Response:
    """The person stops: the app is told, and the right password is forgotten."""
    if candidate.pending is not None:
        candidates.finish(candidate)
    if candidate.parked is None:
        return see_other("/login")
    candidate.parked.denied = candidate.parked.is_unmet = True
    parked_requests.save(candidate.parked)
    return go_on(candidate.parked)


def page(candidate: Candidate, *, failed: str = "", wait: int | None = None, status: int = 200) -> Response:
    """The page, with what went wrong: `failed` is the way that was tried (code or recovery), `wait` is in seconds."""
    response = make_response(
        render_template(
            "login/second_factor.html",
            client=app_of(candidate.parked),
            account=candidate.account,
            fields=candidate.fields,
            candidate=candidate,
            has_totp=candidate.has(factors.totp.KIND),
            has_recovery_codes=factors.recovery_codes.remaining(candidate.account.id) > 0,
            failed=failed,
            wait=wait,
        ),
        status,
    )
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response
