"""The only queries on passkeys."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ...accounts import Account
from ...database import db, now, transact
from .models import Passkey, UserHandle
from .response import Refused, to_base64url

#: As many as anybody has devices; more would only be somebody filling the table.
MOST = 20
MAX_NAME = 64


class AlreadyRegistered(Exception):
    """The credential is registered here already, for this person or another one."""


class TooMany(Exception):
    """The person has MOST passkeys."""


class NameRefused(ValueError):
    """The name is empty, too long, or has characters that nobody can see."""


class CopySuspected(Refused):
    """The signature counter went back, so the same key signs in two places (WebAuthn §6.1.1)."""


def list_of(account_id: str) -> Sequence[Passkey]:
    """The passkeys of a person, oldest first."""
    return db.session.scalars(
        sa.select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.created_at, Passkey.id)
    ).all()


def count(account_id: str) -> int:
    """How many passkeys a person has."""
    return db.session.scalar(sa.select(sa.func.count()).where(Passkey.account_id == account_id)) or 0


def find(credential_id: bytes) -> Passkey | None:
    """The passkey with this credential id."""
    return db.session.scalar(sa.select(Passkey).where(Passkey.credential_id == credential_id))


def find_own(account_id: str, passkey_id: str) -> Passkey | None:
    """The passkey that our forms call so, if it is this person's."""
    return db.session.scalar(sa.select(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id))


def user_handle(account_id: str) -> bytes:
    """What authenticators know this person by; made the first time."""
    found = find_user_handle(account_id)
    if found is not None:
        return found

    def make() -> bytes:
        if (fresh := find_user_handle(account_id)) is not None:
            return fresh
        made = secrets.token_bytes(32)
        db.session.execute(sa.insert(UserHandle).values(account_id=account_id, user_handle=made))
        return made

    try:
        return transact(make)
    except IntegrityError:  # another request made it between the question and the insert
        return db.session.scalars(sa.select(UserHandle.user_handle).where(UserHandle.account_id == account_id)).one()


def find_user_handle(account_id: str) -> bytes | None:
    """What authenticators know this person by, if they ever asked for a passkey."""
    return db.session.scalar(sa.select(UserHandle.user_handle).where(UserHandle.account_id == account_id))


def add(passkey: Passkey) -> None:
    """Store a new passkey. Call inside database.transact(), which what it raises has to end.

    Raises AlreadyRegistered, TooMany, and Refused when the account is gone or disabled meanwhile.
    """
    # The account's row is locked, so that two at once cannot both be the last that fits.
    _active_account(passkey.account_id)
    if count(passkey.account_id) >= MOST:
        raise TooMany
    columns = (column.key for column in sa.inspect(Passkey).column_attrs)
    try:
        db.session.execute(sa.insert(Passkey).values({column: getattr(passkey, column) for column in columns}))
    except IntegrityError as error:
        raise AlreadyRegistered from error


def rename(account_id: str, passkey_id: str, name: str) -> Passkey | None:
    """Give a passkey another name; None when the person has no such passkey. Raises NameRefused."""
    chosen = name_of(name)

    def change() -> Passkey | None:
        found = find_own(account_id, passkey_id)
        if found is not None:
            found.name = chosen
        return found

    return transact(change)


def remove(account_id: str, passkey_id: str) -> str | None:
    """Delete a passkey and answer its name; None when the person has no such passkey."""
    gone = sa.delete(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id).returning(Passkey.name)
    return transact(lambda: db.session.scalar(gone))


def record_use(passkey_id: str, *, sign_count: int, backed_up: bool) -> Passkey:
    """Write down a use, unless the key signed elsewhere meanwhile or the person may not sign in any more.

    A counter that stands on 0 says nothing; one that does not grow says that there is a copy (WebAuthn §6.1.1).
    Raises CopySuspected and Refused.
    """

    def write() -> Passkey:
        found = db.session.get(Passkey, passkey_id, populate_existing=True, with_for_update=True)
        if found is None:
            raise Refused("removed meanwhile")
        if (sign_count or found.sign_count) and sign_count <= found.sign_count:
            raise CopySuspected(f"the counter went from {found.sign_count} to {sign_count}")
        _active_account(found.account_id)
        found.sign_count, found.backed_up, found.last_used_at = sign_count, backed_up, now()
        return found

    return transact(write)


def descriptor(passkey: Passkey) -> dict[str, object]:
    """How options name a passkey (WebAuthn §5.8.3), in the JSON form."""
    described: dict[str, object] = {"type": "public-key", "id": to_base64url(passkey.credential_id)}
    return described | ({"transports": passkey.transports} if passkey.transports else {})


def name_of(text: str) -> str:
    """A name as it is kept: trimmed, in NFC, every character visible. Raises NameRefused."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise NameRefused
    return name


def _active_account(account_id: str) -> Account:
    account = db.session.get(Account, account_id, populate_existing=True, with_for_update=True)
    if account is None or not account.is_active:
        raise Refused("disabled")
    return account
