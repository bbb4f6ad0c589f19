"""The only queries on accounts. What people typed is normalised and checked here, before the database sees it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..database import db, execute, now, transact
from ..languages import translate
from ..server import current_server
from ..statements import Statement, Whole
from . import throttle
from .claims import names_of, standard_claims
from .identifiers import email_of, is_email, key_of, username_of
from .models import Account
from .password_policy import require_good
from .passwords import current_passwords

T = TypeVar("T")

# Nothing that somebody could have been registered with is longer.
_MAX_LOGIN_LENGTH = 512

_WHOLE = Whole(Account)
_READ = Statement(sa.select(*_WHOLE.columns).where(Account.id == sa.bindparam("one")))


class AccountExists(ValueError):
    """The user name or e-mail address (`field`) belongs to somebody already."""

    def __init__(self, field: str) -> None:
        if field == "username":
            super().__init__(translate("There is already an account with this user name."))
        else:
            super().__init__(translate("There is already an account with this e-mail address."))
        self.field = field


def find(account_id: str) -> Account | None:
    """The account of a subject identifier."""
    return db.session.get(Account, account_id)


def read(account_id: str) -> Account | None:
    """The same to read only, as it is in the database now."""
    return _WHOLE.of(execute(_READ, one=account_id))


def find_by_login(login: str) -> Account | None:
    """The account of what a person typed to sign in: an e-mail address when there is an @ in it, else a user name."""
    which = _which(login)
    return db.session.scalar(sa.select(Account).where(which)) if which is not None else None


def id_of_login(login: str) -> str | None:
    """The identifier alone: making an Account takes a tenth of a millisecond, by which a known name would show (F-22)."""
    which = _which(login)
    return db.session.scalar(sa.select(Account.id).where(which)) if which is not None else None


def _which(login: str) -> sa.ColumnElement[bool] | None:
    if len(login) > _MAX_LOGIN_LENGTH or not login.isprintable():
        return None
    return (Account.email_key if is_email(login) else Account.username_key) == key_of(login)


def list_accounts(*, limit: int = 100, after: str = "") -> Sequence[Account]:
    """Accounts in the order of their user names, from the one after the user name `after`."""
    page = sa.select(Account).where(Account.username_key > key_of(after)).order_by(Account.username_key)
    return db.session.scalars(page.limit(limit)).all()


def create(
    username: str,
    password: str | None = None,
    *,
    email: str | None = None,
    email_verified: bool = False,
    claims: Mapping[str, Any] | None = None,
    roles: Iterable[str] = (),
    groups: Iterable[str] = (),
) -> Account:
    """A new account with an identifier that nobody ever had.

    Raises IdentifierRefused, ClaimRefused, PasswordRefused or AccountExists, each with words for the person, and Busy.
    """
    name = username_of(username)
    address = email_of(email) if email else None
    at = now()
    account = Account(
        id=secrets.token_hex(16),
        username=name,
        username_key=key_of(name),
        email=address,
        email_key=key_of(address) if address else None,
        email_verified=bool(address and email_verified),
        claims=standard_claims(claims or {}),
        roles=names_of("roles", roles),
        groups=names_of("groups", groups),
        created_at=at,
        updated_at=at,
        password_changed_at=at if password is not None else None,
    )
    if password is not None:
        require_good(password, current_server.settings, names=(name, address))
        account.password_hash = current_passwords().hash(password)

    def insert() -> None:
        _require_free(account)
        columns = (column.key for column in sa.inspect(Account).column_attrs)
        db.session.execute(sa.insert(Account).values({column: getattr(account, column) for column in columns}))

    try:
        transact(insert)
    except IntegrityError as error:
        # Another request took the name between the question and the insert; the unique keys decide.
        # PostgreSQL repeats the values after DETAIL; only the name of the key counts.
        key = str(error.orig).partition("DETAIL")[0]
        raise AccountExists("email" if "email_key" in key else "username") from error
    return db.session.get_one(Account, account.id)


def set_password(account_id: str, password: str, *, keep_sessions: bool = False) -> Account:
    """Set a password. Sessions and token families older than it end, because they compare `signed_out_before` with their own time.

    With `keep_sessions` the caller ends those that are to end, by name. Raises PasswordRefused, Busy and LookupError.
    """
    account = db.session.get_one(Account, account_id)
    require_good(password, current_server.settings, names=(account.username, account.email))
    made = current_passwords().hash(password)

    def change(fresh: Account) -> None:
        fresh.password_hash = made
        fresh.password_changed_at = fresh.updated_at = now()
        if not keep_sessions:
            fresh.signed_out_before = fresh.password_changed_at
        throttle.clear(account_id)

    return _change(account_id, change)


def sign_out(account_id: str) -> Account:
    """End every session, code and token family of an account that there is by now. Raises LookupError."""

    def change(fresh: Account) -> None:
        fresh.signed_out_before = now()

    return _change(account_id, change)


def sign_out_everybody() -> None:
    """Do for all accounts what sign_out() does for one."""
    everybody = sa.update(Account).values(signed_out_before=now())
    transact(lambda: db.session.execute(everybody, execution_options={"synchronize_session": False}))


def update_claims(account_id: str, changes: Mapping[str, Any]) -> Account:
    """Change some standard claims; None or an empty value takes one away. Raises ClaimRefused and LookupError.

    Another phone number is not verified any more, whatever the one before was.
    """

    def change(fresh: Account) -> None:
        claims = {**fresh.claims, **changes}
        if claims.get("phone_number") != fresh.claims.get("phone_number") and "phone_number_verified" not in changes:
            claims.pop("phone_number_verified", None)
        kept = standard_claims(claims)
        if kept != fresh.claims:
            fresh.claims = kept
            fresh.updated_at = now()

    return _change(account_id, change)


def delete(account_id: str) -> None:
    """Delete a person: foreign keys take along everything of theirs. Raises LookupError."""

    def remove() -> None:
        gone = sa.delete(Account).where(Account.id == account_id).returning(Account.id)
        if db.session.execute(gone, execution_options={"synchronize_session": False}).first() is None:
            raise LookupError(account_id)
        throttle.clear(account_id)
        db.session.expire_all()

    transact(remove)


def disable(account_id: str) -> Account:
    """Switch an account off: nobody signs in to it, and its sessions and tokens end where they are used.

    Raises LookupError.
    """

    def change(fresh: Account) -> None:
        if fresh.disabled_at is None:
            fresh.disabled_at = fresh.updated_at = now()

    return _change(account_id, change)


def enable(account_id: str) -> Account:
    """Switch an account on again, and open it to strangers if guessing had closed it. Raises LookupError."""

    def change(fresh: Account) -> None:
        if fresh.disabled_at is not None:
            fresh.disabled_at = None
            fresh.updated_at = now()
        throttle.clear(account_id)

    return _change(account_id, change)


def _change(account_id: str, change: Callable[[Account], None]) -> Account:
    def work() -> Account:
        fresh = locked(account_id)
        change(fresh)
        return fresh

    return transact(work)


def locked(account_id: str) -> Account:
    """The account, as it is now, and nobody else's until the transaction ends. Raises NoResultFound."""
    return db.session.get_one(Account, account_id, populate_existing=True, with_for_update=True)


def _require_free(account: Account) -> None:
    taken = sa.select(Account.username_key, Account.email_key).where(
        sa.or_(
            Account.username_key == account.username_key,
            sa.and_(Account.email_key.is_not(None), Account.email_key == account.email_key),
        )
    )
    for row in db.session.execute(taken):
        raise AccountExists("username" if row.username_key == account.username_key else "email")
