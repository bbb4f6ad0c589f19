"""/account/data: everything we hold about the person as a download, and the end of the account. GDPR articles 15, 17 and 20."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from flask import Response, make_response, render_template, request

from .. import audit, csrf, mail, sessions, strict_form
from ..accounts import store
from ..database import now, transact
from ..errors import Pages
from ..sessions import Session
from ..sessions.proof import NotProved, require_password
from ..tokens import families
from . import person
from .apps import connected_apps
from .export import export_of

blueprint = Pages("account_data", __name__)


@blueprint.get("/account/data")
def show() -> Response:
    session = person.require_person()
    return person.show("account/data.html", session, is_recent=person.is_recent(session))


@blueprint.post("/account/data/export")
def export() -> Response:
    """The copy, as JSON for a program and readable for a person."""
    csrf.check(strict_form.read_page_form(request), "account export")
    session = person.require_person()
    person.require_recent(session)
    audit.record(audit.ACCOUNT_EXPORTED, account_id=session.account_id)
    text = orjson.dumps(export_of(session.account), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    response = Response(text, mimetype="application/json")
    day = datetime.fromtimestamp(now(), UTC).date().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="account-{day}.json"'
    return response


@blueprint.get("/account/data/delete")
def ask() -> Response:
    """What deleting the account will do, and the one question whether it shall."""
    session = person.require_person()
    person.require_recent(session)
    return _ask(session)


@blueprint.post("/account/data/delete")
def delete() -> Response:
    """Delete the account: after this nothing of the person is left but the opaque identifier in the audit log."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "account delete")
    session = person.require_person()
    person.require_recent(session)
    try:
        require_password(session.account, form.get("password", ""))
    except NotProved as refused:
        return _ask(session, refused)
    transact(lambda: _delete(session))
    audit.record(audit.ACCOUNT_DELETED, account_id=session.account_id, by="person")
    return make_response(render_template("account/deleted.html"))


def _delete(session: Session) -> None:
    # Ended by name first, so that the audit log tells of each; the foreign keys take the rows along.
    families.revoke_account(session.account_id, "account deleted")
    sessions.store.end_all(session.account_id, except_sid=session.sid)
    sessions.end(session)
    mail.store.forget(session.account_id)
    store.delete(session.account_id)


def _ask(session: Session, refused: NotProved | None = None) -> Response:
    response = person.show(
        "account/delete.html",
        session,
        refused.status if refused is not None else 200,
        apps=connected_apps(session.account),
        wrong=refused is not None and refused.wait is None,
        wait=refused.wait if refused is not None else None,
    )
    if refused is not None and refused.wait is not None:
        response.headers["Retry-After"] = str(refused.wait)
    return response
