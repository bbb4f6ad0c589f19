"""The only queries on authenticator apps and recovery codes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from ..accounts import Account
from ..database import db
from .models import RecoveryCode, TotpSecret


class TooManyFactors(Exception):
    """The account has as many factors of this kind as it may have."""


def totp_secrets(account_id: str) -> Sequence[TotpSecret]:
    """The authenticator apps of an account, the oldest first."""
    return db.session.scalars(_totp_secrets(account_id)).all()


def locked_totp_secrets(account_id: str) -> Sequence[TotpSecret]:
    """The same, read afresh, and nobody else adds to them or changes them before the transaction ends. Inside transact()."""
    # The account's row stands for the list: a lock on rows would not keep another one from being added.
    db.session.execute(sa.select(Account.id).where(Account.id == account_id).with_for_update())
    return db.session.scalars(_totp_secrets(account_id).execution_options(populate_existing=True)).all()


def _totp_secrets(account_id: str) -> sa.Select[TotpSecret]:
    return (
        sa.select(TotpSecret).where(TotpSecret.account_id == account_id).order_by(TotpSecret.created_at, TotpSecret.id)
    )


def insert_totp_secret(row: TotpSecret) -> None:
    """Keep a new authenticator app. Call inside database.transact()."""
    columns = (column.key for column in sa.inspect(TotpSecret).column_attrs)
    db.session.execute(sa.insert(TotpSecret).values({name: getattr(row, name) for name in columns}))


def delete_totp_secret(account_id: str, identifier: str) -> bool:
    """Delete one authenticator app; False when it is not the account's. Call inside database.transact()."""
    gone = db.session.execute(
        sa.delete(TotpSecret)
        .where(TotpSecret.account_id == account_id, TotpSecret.id == identifier)
        .returning(TotpSecret.id)
        .execution_options(synchronize_session="fetch")
    )
    return gone.first() is not None


def replace_recovery_codes(account_id: str, hashes: Collection[str], at: float) -> None:
    """Put new recovery codes in the place of all earlier ones. Call inside database.transact()."""
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    rows = [{"account_id": account_id, "code_hash": one, "created_at": at} for one in hashes]
    if rows:
        db.session.execute(sa.insert(RecoveryCode), rows)


def take_recovery_code(account_id: str, hashes: Collection[str]) -> bool:
    """Spend the code that has one of these hashes; of simultaneous uses one is told True. Call inside database.transact()."""
    spent = db.session.execute(
        sa.delete(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.code_hash.in_(hashes))
        .returning(RecoveryCode.code_hash)
        .execution_options(synchronize_session=False)
    )
    return spent.first() is not None


def count_recovery_codes(account_id: str) -> int:
    """How many recovery codes are left."""
    return (
        db.session.scalar(
            sa.select(sa.func.count()).select_from(RecoveryCode).where(RecoveryCode.account_id == account_id)
        )
        or 0
    )
