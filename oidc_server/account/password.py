"""GET and POST /account/password: a new password, and an end to what the old one opened. ASVS 6.2.2, 6.2.3, 7.4.3."""

from __future__ import annotations

from functools import partial

from flask import Response, request

from .. import accounts, csrf, recoveries, strict_form
from ..errors import Pages
from ..responses import see_other
from ..server import current_server
from ..sessions import Session
from ..sessions.proof import NotProved
from . import notices, person

blueprint = Pages("account_password", __name__)


@blueprint.get("/account/password")
def show() -> Response:
    session = person.require_person()
    person.require_recent(session)
    return _form(session)


@blueprint.post("/account/password")
def change() -> Response:
    """Set the password; with `others` every other session and what every app holds ends, as the form proposes."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "account password")
    session = person.require_person()
    person.require_recent(session)
    ends_others = form.get("others") == "end"
    again = partial(_form, session, ends_others=ends_others)
    try:
        recoveries.change(
            session, form.get("current_password", ""), form.get("new_password", ""), ends_others=ends_others
        )
    except NotProved as refused:
        return again(status=refused.status, wait=refused.wait, wrong=refused.wait is None)
    except accounts.PasswordRefused as refused:
        return again(status=422, reasons=refused.reasons)
    except accounts.Busy:
        return again(status=503, wait=2)
    except LookupError:  # the session was ended from elsewhere at this very moment; the password is set
        return see_other("/login?then=/account/password")
    return notices.go_on("/account/password", "changed")


def _form(
    session: Session,
    *,
    status: int = 200,
    wait: int | None = None,
    wrong: bool = False,
    reasons: list[str] | None = None,
    ends_others: bool = True,
) -> Response:
    response = person.show(
        "account/password.html",
        session,
        status,
        wait=wait,
        wrong=wrong,
        reasons=reasons or [],
        ends_others=ends_others,
        min_length=current_server.settings.password_min_length,
    )
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response
