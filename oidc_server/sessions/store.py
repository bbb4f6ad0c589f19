"""The only queries on browser sessions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa
from flask import g, request

from .. import audit, languages
from ..accounts import Account
from ..database import db, execute, now, transact
from ..networks import client_network
from ..server import current_server
from ..statements import Statement, Whole
from . import cookies
from .models import Session

# A visit is written down at most this often (seconds), so that reading a page does not write.
_TOUCH_EVERY = 300.0


_BY_COOKIE = sa.select(Session).where(Session.cookie_hash == sa.bindparam("one"))
_WHOLE = Whole(Session, account=Whole(Account))
_READ = sa.select(*_WHOLE.columns).join(Account, Account.id == Session.account_id)
_READ_BY_COOKIE = Statement(_READ.where(Session.cookie_hash == sa.bindparam("one")))
_READ_BY_SID = Statement(_READ.where(Session.sid == sa.bindparam("one")))
_INSERT = Statement(sa.insert(cast(sa.Table, Session.__table__)))


def current() -> Session | None:
    """The live session of this browser, with its account; None when there is none, or none that still counts."""
    if "session" not in g:
        g.session = _find(lambda cookie_hash: db.session.scalar(_BY_COOKIE, {"one": cookie_hash}))
    return _learned(g.session)


def seen() -> Session | None:
    """What current() is, but to read only: neither the session nor its account follow what this request changes."""
    if "session" in g:
        return _learned(g.session)
    return _learned(_find(lambda cookie_hash: _WHOLE.of(execute(_READ_BY_COOKIE, one=cookie_hash))))


def _learned(session: Session | None) -> Session | None:
    if session is not None:
        languages.learn(person=session.account.claims or {})
    return session


def _find(read: Callable[[str], Session | None]) -> Session | None:
    value = cookies.read()
    if value is None:
        return None
    found = read(_hash(value))
    if found is None or not _is_live(found):
        return None
    if found.last_seen_at < now() - _TOUCH_EVERY:
        transact(
            lambda: db.session.execute(
                sa.update(Session).where(Session.cookie_hash == found.cookie_hash).values(last_seen_at=now())
            )
        )
    return found


def _is_live(session: Session) -> bool:
    account = session.account
    idle_until = session.last_seen_at + current_server.settings.session_idle_lifetime
    # A new password, and signing out everywhere, end the sessions that there were.
    return bool(
        now() < min(session.expires_at, idle_until)
        and account.is_active
        and (account.signed_out_before or 0) <= session.created_at
    )


def alive(sid: str) -> Session | None:
    """The session of this `sid` with its account, to read only, if it still lives."""
    found = _WHOLE.of(execute(_READ_BY_SID, one=sid))
    return found if found is not None and _is_live(found) else None


def start(account_id: str, *, acr: str, amr: list[str], first: Callable[[], object] = lambda: None) -> Session:
    """Open a session for a person who just signed in; always a new identifier, and the browser's earlier session ends.

    A session of the same person keeps its `sid`, so that apps see one sign-in refreshed and not two. `first` is called in
    the same transaction, before.
    """
    earlier = current()
    value = secrets.token_urlsafe(32)
    at = now()
    settings = current_server.settings
    session = Session(
        cookie_hash=_hash(value),
        sid=earlier.sid if earlier is not None and earlier.account_id == account_id else secrets.token_urlsafe(16),
        account_id=account_id,
        auth_time=at,
        acr=acr,
        amr=amr,
        created_at=at,
        last_seen_at=at,
        expires_at=at + settings.session_absolute_lifetime,
        network=client_network(request),
        user_agent=request.headers.get("User-Agent", "")[:200],
    )

    def replace() -> None:
        first()
        if earlier is not None:
            db.session.execute(sa.delete(Session).where(Session.cookie_hash == earlier.cookie_hash))
        execute(_INSERT, **_columns(session))

    transact(replace)
    cookies.write(value)
    g.session = db.session.scalar(sa.select(Session).where(Session.cookie_hash == session.cookie_hash))
    return g.session  # type: ignore[no-any-return]


def raise_to(session: Session, *, acr: str, amr: list[str]) -> Session:
    """Write down that the person of a live session proved more: a new cookie value, the same `sid`, and the same `auth_time`,

    which is that of the oldest proof among those that `acr` stands for. Raises LookupError when the session ended meanwhile.
    """
    return _exchange(session, acr=acr, amr=amr)


def renew(session: Session) -> Session:
    """Let a session begin anew under a new cookie value (ASVS 7.2.4), so that it outlives a sign-out of all that was there before;

    when and how the person signed in stays true. Raises LookupError when the session ended meanwhile.
    """
    return _exchange(session, created_at=now())


def _exchange(session: Session, **changes: object) -> Session:
    value = secrets.token_urlsafe(32)
    exchanged = transact(
        lambda: db.session.execute(
            sa.update(Session)
            .where(Session.cookie_hash == session.cookie_hash)
            .values(cookie_hash=_hash(value), last_seen_at=now(), **changes)
            .returning(Session.sid)
            .execution_options(synchronize_session=False)
        ).first()
    )
    if exchanged is None:
        raise LookupError("the session ended")
    cookies.write(value)
    g.session = db.session.scalar(sa.select(Session).where(Session.cookie_hash == _hash(value)))
    return g.session  # type: ignore[no-any-return]


def end(session: Session) -> None:
    """End a session on the server and in the browser. Call inside database.transact() with what ends along with it."""
    db.session.execute(sa.delete(Session).where(Session.sid == session.sid))
    g.session = None
    cookies.write(None)
    audit.record(audit.SIGN_OUT, account_id=session.account_id, sid=session.sid)


def end_of(account_id: str | None, limit: int) -> int:
    """End up to `limit` sessions of an account, or of everybody, in whatever browser they are. Inside transact()."""
    chosen = sa.select(Session.cookie_hash).limit(limit)
    if account_id is not None:
        chosen = chosen.where(Session.account_id == account_id)
    return len(_end("command line", Session.cookie_hash.in_(chosen)))


def list_for(account_id: str) -> list[Session]:
    """The live sessions of an account, the one seen last first."""
    query = (
        sa.select(Session).where(Session.account_id == account_id).order_by(Session.last_seen_at.desc(), Session.sid)
    )
    return [session for session in db.session.scalars(query) if _is_live(session)]


def end_one(account_id: str, sid: str) -> bool:
    """End the session of this `sid` if it is one of the account; False when there is none. Inside transact()."""
    return bool(_end("person", Session.account_id == account_id, Session.sid == sid))


def end_all(account_id: str, *, except_sid: str | None = None) -> list[str]:
    """End the sessions of an account, but for one; the `sid` of each that ended. Inside transact()."""
    which = [Session.account_id == account_id]
    if except_sid is not None:
        which.append(Session.sid != except_sid)
    return _end("person", *which)


def _end(by: str, *which: sa.ColumnElement[bool]) -> list[str]:
    ended = db.session.execute(
        sa.delete(Session)
        .where(*which)
        .returning(Session.account_id, Session.sid)
        .execution_options(synchronize_session=False)
    ).all()
    for row in ended:
        audit.record(audit.SESSION_ENDED, account_id=row.account_id, sid=row.sid, by=by)
    return [row.sid for row in ended]


def purge(limit: int) -> int:
    """Delete up to `limit` sessions that are past their end."""
    past = sa.select(Session.cookie_hash).where(Session.expires_at <= now()).limit(limit)
    gone = db.session.execute(
        sa.delete(Session).where(Session.cookie_hash.in_(past)), execution_options={"synchronize_session": False}
    )
    return int(getattr(gone, "rowcount", 0))


def _columns(session: Session) -> dict[str, Any]:
    return {column.key: getattr(session, column.key) for column in sa.inspect(Session).column_attrs}


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
