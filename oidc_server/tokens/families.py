"""Token families: begun by a grant, carried on by refreshing, ended by revocation. The only queries on them.

Rotation with a single successor: the token just rotated returns its *same* successor for some seconds, to a client that lost the
answer; any older one ends the family (RFC 9700 §4.14.2). One conditional UPDATE decides between simultaneous refreshes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from .. import audit
from ..accounts import Account
from ..database import db, execute, now
from ..server import current_server
from ..statements import Statement, Whole
from . import names, refresh_token
from .models import Family

__all__ = [
    "Authorization",
    "Family",
    "begin",
    "find",
    "find_by_code",
    "revoke",
    "revoke_account",
    "revoke_account_client",
    "revoke_client",
    "revoke_of",
    "revoke_session",
    "rotate",
]


# Built once: what these cost is mostly their making.
_INSERT = Statement(sa.insert(cast(sa.Table, Family.__table__)))
_NOTHING: dict[str, Any] = dict.fromkeys(column.key for column in sa.inspect(Family).column_attrs)
_WHOLE = Whole(Family, account=Whole(Account))
_READ = sa.select(*_WHOLE.columns).join(Account, Account.id == Family.account_id)
_BY_ID = Statement(_READ.where(Family.id == sa.bindparam("one")))


_TABLE = cast(sa.Table, Family.__table__)
_ROTATE = Statement(
    sa.update(_TABLE)
    .where(
        _TABLE.c.id == sa.bindparam("one"),
        _TABLE.c.refresh_hash == sa.bindparam("presented"),
        _TABLE.c.revoked_at.is_(None),
    )
    .values(
        refresh_generation=_TABLE.c.refresh_generation + 1,
        **{
            name: sa.bindparam(name)
            for name in ("refresh_hash", "refresh_expires_at", "previous_hash", "rotated_at", "sealed_successor")
        },
    )
    .returning(_TABLE.c.id)
)


@dataclass(frozen=True)
class Authorization:
    """What a person allowed a client, as it is kept with the code and then with the family. Times are epoch seconds."""

    client_id: str
    account_id: str
    scope: list[str]
    resources: list[str]
    auth_time: int
    acr: str
    amr: list[str]
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    #: The browser session it comes from, and the moment that session ends at the latest.
    sid: str = ""
    session_expires_at: float = 0.0
    #: Kept to recognise a valid replay of the code; empty when they were not sent.
    redirect_uri: str = ""
    code_challenge: str = ""

    @property
    def is_offline(self) -> bool:
        return "offline_access" in self.scope


def begin(
    authorization: Authorization, *, with_refresh_token: bool, lifetime: float, code: str | None = None
) -> tuple[Family, str | None]:
    """A new family, not stored yet, and its first refresh token if it has one; `code` is what it is issued for.

    `lifetime` is that of its access token; without a refresh token the family is needed no longer than that.
    """
    settings = current_server.settings
    at = now()
    ends_with_session = bool(authorization.sid) and not authorization.is_offline
    expires_at = at + lifetime
    if with_refresh_token:
        expires_at = at + settings.refresh_token_absolute_lifetime
        if ends_with_session:
            expires_at = min(expires_at, authorization.session_expires_at)
    family_id = names.of_code(code) if code is not None else names.make(at)
    token = refresh_token.make(family_id, 0) if with_refresh_token else None
    family = _WHOLE.new(
        id=family_id,
        client_id=authorization.client_id,
        account_id=authorization.account_id,
        session_sid=authorization.sid if ends_with_session else None,
        authorization=dict(vars(authorization)),
        created_at=at,
        expires_at=max(expires_at, at + lifetime),
        refresh_hash=refresh_token.hash_of(token) if token else None,
        refresh_generation=0,
        refresh_expires_at=min(at + settings.refresh_token_idle_lifetime, expires_at) if token else None,
        revoked_at=None,
    )
    return family, token


def store(family: Family) -> None:
    """Insert a family. Call inside database.transact() with the spending of what it was issued for."""
    execute(_INSERT, **_NOTHING | vars(family))


def find(family_id: str) -> Family | None:
    """The family of this id with its account, read afresh and to read only; one query."""
    return _WHOLE.of(execute(_BY_ID, one=family_id))


def find_by_code(code: str) -> Family | None:
    """The family that was issued for this code, or None while the code was not spent."""
    return find(names.of_code(code))


def authorization_of(family: Family) -> Authorization:
    return Authorization(**family.authorization)


def is_live(family: Family) -> bool:
    """Whether tokens of this family count: not revoked, not past its end, its account active and its password the same."""
    account = family.account
    # A new password, and signing out everywhere, end what was issued before.
    return bool(
        family.revoked_at is None
        and now() < family.expires_at
        and account.is_active
        and (account.signed_out_before or 0) <= family.created_at
    )


def rotate(family: Family, presented: str, successor: str, answer: bytes) -> bool:
    """Put the successor in the place of the presented refresh token; False when another request was first.

    `answer` is what the presented token returns again within the grace. Call inside database.transact().
    """
    at = now()
    settings = current_server.settings
    rotated = execute(
        _ROTATE,
        one=family.id,
        presented=refresh_token.hash_of(presented),
        refresh_hash=refresh_token.hash_of(successor),
        refresh_expires_at=min(at + settings.refresh_token_idle_lifetime, family.expires_at),
        previous_hash=refresh_token.hash_of(presented),
        rotated_at=at,
        sealed_successor=refresh_token.seal(presented, answer),
    )
    return rotated is not None


def revoke(family_id: str, because: str) -> bool:
    """End a family; False when it had ended before. Call inside database.transact()."""
    return bool(_revoke(because, Family.id == family_id))


def revoke_session(sid: str) -> int:
    """End the families that end with this browser session (OIDC Core §11: without offline_access). Inside transact()."""
    return len(_revoke("signed out", Family.session_sid == sid))


def revoke_of(account_id: str | None, after: str, limit: int) -> Sequence[str]:
    """End up to `limit` families of an account, or of everybody, in the order of their ids from `after`; the ids. Inside transact()."""
    of_whom = sa.true() if account_id is None else Family.account_id == account_id
    chosen = sa.select(Family.id).where(Family.id > after, Family.revoked_at.is_(None), of_whom)
    ids = db.session.scalars(chosen.order_by(Family.id).limit(limit)).all()
    _revoke("signed out by an operator", Family.id.in_(ids))
    return ids


def revoke_account(account_id: str, because: str, *, except_sid: str | None = None) -> int:
    """End every family of an account, but for those that end with the browser session `except_sid`. Inside transact()."""
    which = [Family.account_id == account_id]
    if except_sid is not None:
        which.append(sa.or_(Family.session_sid.is_(None), Family.session_sid != except_sid))
    return len(_revoke(because, *which))


def revoke_account_client(account_id: str, client_id: str, because: str) -> int:
    """End every family that an account has with a client. Inside transact()."""
    return len(_revoke(because, Family.account_id == account_id, Family.client_id == client_id))


def revoke_client(client_id: str) -> int:
    """End every family of a client. Inside transact()."""
    return len(_revoke("client", Family.client_id == client_id))


def _revoke(because: str, *which: sa.ColumnElement[bool]) -> Sequence[str]:
    ended = db.session.scalars(
        sa.update(Family)
        .where(*which, Family.revoked_at.is_(None))
        .values(revoked_at=now(), revoked_because=because, sealed_successor=None)
        .returning(Family.id)
        .execution_options(synchronize_session=False)
    ).all()
    for family_id in ended:
        audit.record(audit.FAMILY_REVOKED, family=family_id, because=because)
    return ended


def purge(limit: int) -> int:
    """Delete up to `limit` families past their end, when no access token of theirs can live any more."""
    horizon = now() - current_server.settings.longest_token_lifetime
    past = sa.select(Family.id).where(Family.expires_at <= horizon).limit(limit)
    gone = db.session.execute(
        sa.delete(Family).where(Family.id.in_(past)), execution_options={"synchronize_session": False}
    )
    return int(getattr(gone, "rowcount", 0))
