"""Setting up the first second factor in the middle of a sign-in, for somebody who must have one and has none.

The password was proven a moment ago; there is no session until the factor is proven too, so there is no way around (SE-09, SE-10).
"""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from .. import csrf, factors, strict_form
from ..database import transact
from ..errors import Pages
from ..factors import Factor, notices, qr_code, totp
from ..form import Form
from ..networks import client_network
from ..responses import see_other
from . import candidate as candidates
from .candidate import Candidate, Elsewhere
from .completion import address_of, complete
from .second_factor import PATH, PURPOSE, cancel
from .waiting_app import app_of

blueprint = Pages("new_factor", __name__)


@blueprint.errorhandler(Elsewhere)
def _lead(error: Elsewhere) -> Response:
    return error.response


@blueprint.get(f"{PATH}/new")
def show() -> Response:
    """The QR code of an authenticator app that is offered to this person."""
    return page(_find(strict_form.read_query(request)))


@blueprint.post(f"{PATH}/new")
def confirm() -> Response:
    """Keep the app once a code shows that it works; show the recovery codes, and go on from there."""
    form = strict_form.read_page_form(request)
    csrf.check(form, PURPOSE)
    candidate = _find(form)
    if form.get("action") == "cancel":
        return cancel(candidate)
    pending = candidate.pending
    secret = pending.totp_secret() if pending is not None else None
    if pending is None or secret is None:
        return see_other("/login")

    def keep() -> tuple[Factor, list[str]] | None:
        added = totp.add(candidate.account.id, secret, form.get("code", ""), "")
        if added is None:
            return None
        candidates.finish(candidate)
        notices.tell_added(candidate.account, added.kind, network=client_network(request), during="sign-in")
        return added, factors.recovery_codes.make(candidate.account.id)

    kept = transact(keep)
    if kept is None:
        return page(candidate, failed=True, status=401)
    _, codes = kept
    amr = [*pending.amr, totp.AMR, "mfa"]
    complete(candidate.account, candidate.parked, acr=factors.TWO_FACTORS, amr=amr, then=pending.then)
    return make_response(
        render_template(
            "login/recovery_codes.html",
            client=app_of(candidate.parked),
            account=candidate.account,
            codes=codes,
            onwards=address_of(candidate.parked, pending.then),
        )
    )


def _find(values: Form) -> Candidate:
    candidate = candidates.find(values)
    if candidate.factors or candidate.pending is None:
        # Whoever has a factor proves that one; a second one is added in the account, after it.
        raise Elsewhere(see_other(f"{PATH}?{candidate.query}"))
    return candidate


def page(candidate: Candidate, *, failed: bool = False, status: int = 200) -> Response:
    """The page with the QR code; the same secret as long as this sign-in lasts."""
    assert candidate.pending is not None
    secret = candidate.pending.totp_secret()
    if secret is None:
        raise Elsewhere(see_other("/login"))
    return make_response(
        render_template(
            "login/new_factor.html",
            client=app_of(candidate.parked),
            account=candidate.account,
            fields=candidate.fields,
            candidate=candidate,
            picture=qr_code.svg(totp.uri(secret, candidate.account)),
            secret=totp.text_of(secret),
            failed=failed,
        ),
        status,
    )
