"""The tables of authenticator apps and recovery codes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class TotpSecret(Base):
    """One authenticator app; `sealed` is its secret under the server's key, `last_step` the latest time step it was used in."""

    __tablename__ = "totp_secrets"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary(256))
    last_step: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[float]
    last_used_at: Mapped[float | None]

    def __repr__(self) -> str:
        return f"<TotpSecret {self.id}>"


class RecoveryCode(Base):
    """One recovery code that was not used yet, as a keyed hash: a copy of the database has no way in."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    created_at: Mapped[float]

    def __repr__(self) -> str:
        return f"<RecoveryCode of {self.account_id}>"
