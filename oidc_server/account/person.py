"""Who looks at the page, and whether they proved it a moment ago. ASVS 7.5.1, attack row SE-12."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, abort, make_response, render_template, request

from .. import sessions
from ..responses import see_other
from ..sessions import Session, proof
from . import notices

# /login goes to addresses of this shape and no others.
_PAGE = re.compile(r"/account(/[a-z-]+)*", re.ASCII)
_SECTION = re.compile(r"/account(/[a-z-]+)?", re.ASCII)


def require_person() -> Session:
    """The session of the person at this browser; nobody signed in goes to sign in first and comes back."""
    session = sessions.current()
    if session is None:
        abort(see_other(f"/login?then={_way_back()}"))
    return session


def require_recent(session: Session) -> None:
    """The person signed in within proof.RECENT seconds; else they sign in again, are told why, and come back."""
    if not is_recent(session):
        abort(see_other(f"/login?then={_way_back()}&prompt=login"))


def is_recent(session: Session) -> bool:
    """Whether require_recent() would let this session pass."""
    return proof.is_recent(session)


def show(template: str, session: Session, status: int = 200, **values: Any) -> Response:
    """A page of the account, with what layout.html needs and the notice that the page before left."""
    return make_response(
        render_template(
            template, account=session.account, session=session, notice=notices.take(), here=_section(), **values
        ),
        status,
    )


def _way_back() -> str:
    """The page itself; for a form that was sent, and for what names one thing, the section it belongs to."""
    is_page = request.method == "GET" and _PAGE.fullmatch(request.path)
    return request.path if is_page else _section()


def _section() -> str:
    found = _SECTION.match(request.path)
    return found[0] if found else "/account"
