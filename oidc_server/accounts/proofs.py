"""What changes once somebody proved that they read an address: it is confirmed, it takes the place of another, a password is set.

Beside store.py, whose rules hold: all but checked_hash() are called inside database.transact(), together with the redemption of the proof.
"""

from __future__ import annotations

import sqlalchemy as sa

from ..database import db, now
from ..server import current_server
from . import password_policy, throttle
from .identifiers import email_of, key_of
from .models import Account
from .passwords import current_passwords
from .store import AccountExists
from .throttle.buckets import ACCOUNT, bucket


class ProofOutdated(Exception):
    """The account has another address or password than when the proof was sent, so that it proves nothing any more (RC-03)."""


def checked_hash(password: str, *names: str | None) -> str:
    """The hash of a new password, which takes a while: made before the transaction. Raises PasswordRefused and Busy."""
    password_policy.require_good(password, current_server.settings, names=names)
    return current_passwords().hash(password)


def set_hash(account_id: str, made: str, *, keep_sessions: bool = False) -> Account:
    """Give an account a password by its hash; what was opened before ends, unless the caller ends it by name."""
    fresh = _locked(account_id)
    fresh.password_hash = made
    fresh.password_changed_at = fresh.updated_at = now()
    if not keep_sessions:
        fresh.signed_out_before = fresh.password_changed_at
    # Guesses at the old password count for nothing now. Those at a second factor do: mail must not buy more of them.
    throttle.store.forget([bucket(ACCOUNT, account_id).key])
    return fresh


def forget_devices(account_id: str) -> None:
    """Know none of the browsers any more from which the account signed in before (RC-06)."""
    db.session.execute(
        sa.delete(throttle.KnownDevice).where(throttle.KnownDevice.account_id == account_id),
        execution_options={"synchronize_session": False},
    )


def state_of(account: Account) -> dict[str, float | str | None]:
    """What a proof is sent for, to be compared when it comes back."""
    return {"email_key": account.email_key, "password_changed_at": account.password_changed_at}


def require_state(account_id: str, state: dict[str, float | str | None]) -> Account:
    """The account, if it is still as it was and active. Raises ProofOutdated."""
    fresh = db.session.get(Account, account_id, populate_existing=True, with_for_update=True)
    if fresh is None or not fresh.is_active or state_of(fresh) != state:
        raise ProofOutdated
    return fresh


def confirm_email(account_id: str, email: str) -> Account:
    """The person reads this address, which must still be theirs. Raises ProofOutdated."""
    fresh = db.session.get(Account, account_id, populate_existing=True, with_for_update=True)
    if fresh is None or not fresh.is_active or fresh.email_key != key_of(email):
        raise ProofOutdated
    if not fresh.email_verified:
        fresh.email_verified = True
        fresh.updated_at = now()
    return fresh


def change_email(account_id: str, email: str) -> Account:
    """Another address, which the person proved to read. Raises AccountExists, and ProofOutdated for an account that is off."""
    fresh = db.session.get(Account, account_id, populate_existing=True, with_for_update=True)
    if fresh is None or not fresh.is_active:
        raise ProofOutdated
    if is_taken(email, by_others_than=account_id):
        raise AccountExists("email")
    fresh.email, fresh.email_key = email_of(email), key_of(email_of(email))
    fresh.email_verified = True
    fresh.updated_at = now()
    return fresh


def is_taken(email: str, *, by_others_than: str) -> bool:
    """Whether another account has this address."""
    holder = sa.select(Account.id).where(Account.email_key == key_of(email), Account.id != by_others_than)
    return db.session.scalar(holder) is not None


def release_unproven(email: str, *, by_others_than: str) -> None:
    """Take an address away from an account that never proved to read it, for the person who just did."""
    db.session.execute(
        sa.update(Account)
        .where(Account.email_key == key_of(email), Account.email_verified.is_(False), Account.id != by_others_than)
        .values(email=None, email_key=None, updated_at=now()),
        execution_options={"synchronize_session": False},
    )


def _locked(account_id: str) -> Account:
    return db.session.get_one(Account, account_id, populate_existing=True, with_for_update=True)
