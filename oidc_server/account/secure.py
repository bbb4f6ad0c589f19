"""GET and POST /account/secure: "This wasn't me". Everything ends at once, this browser's session too, and a new password comes next.

Consents and known browsers are forgotten as well: whoever sat at the account may have allowed an app of theirs, and their browser
must not pass for a known one. Nothing but a press is needed, because all of it comes back by signing in; who may sign in again
is what decides, so this browser does not stay signed in either: it could be the stranger's.
"""

from __future__ import annotations

from flask import Response, request

from .. import audit, consents, csrf, sessions, strict_form
from ..accounts import store, throttle
from ..database import transact
from ..errors import Pages
from ..responses import see_other
from ..sessions import Session
from ..tokens import families
from . import person

blueprint = Pages("account_secure", __name__)


@blueprint.get("/account/secure")
def show() -> Response:
    return person.show("account/secure.html", person.require_person())


@blueprint.post("/account/secure")
def secure() -> Response:
    csrf.check(strict_form.read_page_form(request), "account secure")
    session = person.require_person()
    transact(lambda: _end_everything(session))
    return see_other("/login?then=/account/password")


def _end_everything(session: Session) -> None:
    account_id = session.account_id
    audit.record(audit.ACCOUNT_SECURED, account_id=account_id)
    store.sign_out(account_id)
    families.revoke_account(account_id, "not me")
    consents.remove_all(account_id)
    throttle.forget_devices(account_id)
    sessions.store.end_all(account_id, except_sid=session.sid)
    sessions.end(session)
