"""GET and POST /account/email: confirm the address, or give another one, by the code of a mail. ASVS 6.3.7, row RC-11.

The new address is proven before anything changes, the old one is told and can undo it: registrations.email_change.
"""

from __future__ import annotations

from flask import Response, request

from .. import csrf, languages, registrations, strict_form
from ..confirmations import MatchedCode
from ..errors import Pages
from ..form import Form
from ..networks import client_network
from ..registrations import AccountExists, IdentifierRefused, LinkRefused
from ..sessions import Session
from . import notices, person

blueprint = Pages("account_email", __name__)

_PAGE = "/account/email"
_CHANGE, _VERIFY = "change", "verify"


@blueprint.get("/account/email")
def show() -> Response:
    return _page(person.require_person())


@blueprint.post("/account/email")
def begin_change() -> Response:
    """Send the mail to the new address; nothing changes before it is answered."""
    session, form = _read()
    person.require_recent(session)
    typed = form.get("email", "").strip()
    try:
        handle = registrations.begin_email_change(
            session.account, typed, languages.current(), network=client_network(request)
        )
    except (IdentifierRefused, AccountExists) as refused:
        return _page(session, typed=typed, problem=refused, status=422)
    return _page(session, awaited=_CHANGE, handle=handle, sent_to=typed)


@blueprint.post("/account/email/verify")
def begin_verification() -> Response:
    """Send another mail to the address that the account has."""
    session, _ = _read()
    account = session.account
    if not account.email or account.email_verified:
        return notices.go_on(_PAGE, "verified")
    handle = registrations.begin_verification(account, languages.current(), network=client_network(request))
    return _page(session, awaited=_VERIFY, handle=handle, sent_to=account.email)


@blueprint.post("/account/email/code")
def answer() -> Response:
    """The code of either mail."""
    session, form = _read()
    awaited = form.get("awaited", _VERIFY)
    handle, code = form.get("handle", ""), "".join(form.get("code", "").split())
    network = client_network(request)
    try:
        if awaited == _CHANGE:
            person.require_recent(session)
            change = registrations.match_email_change_code(handle, code)
            _require_own(registrations.look_at_email_change(change).account_id, session)
            registrations.confirm_email_change(change, network=network)
            return notices.go_on(_PAGE, "changed")
        proof: MatchedCode = registrations.match_code(handle, code)
        _require_own(registrations.look_at(proof).account_id, session)
        registrations.verify_email(proof)
        return notices.go_on(_PAGE, "verified")
    except LinkRefused as refused:
        sent_to = form.get("sent_to", "")
        return _page(session, awaited=awaited, handle=handle, sent_to=sent_to, reason=refused.reason, status=422)
    except AccountExists as taken:
        return _page(session, problem=taken, status=409)


def _require_own(account_id: str | None, session: Session) -> None:
    """What a code confirms is the person's who types it; anything else is as unknown as a wrong one."""
    if account_id != session.account_id:
        raise LinkRefused("unknown")


def _read() -> tuple[Session, Form]:
    form = strict_form.read_page_form(request)
    csrf.check(form, "account email")
    return person.require_person(), form


def _page(
    session: Session,
    *,
    typed: str = "",
    problem: Exception | None = None,
    awaited: str = "",
    handle: str = "",
    sent_to: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    return person.show(
        "account/email.html",
        session,
        status,
        typed=typed,
        problem=str(problem) if problem is not None else "",
        awaited=awaited,
        handle=handle,
        sent_to=sent_to,
        reason=reason,
        is_recent=person.is_recent(session),
    )
