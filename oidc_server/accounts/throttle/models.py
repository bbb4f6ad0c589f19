"""The tables that slow guessing down: failures by bucket, and the devices by which an account is known."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ...database import Base


class SignInFailures(Base):
    """Failed sign-ins of one bucket; `bucket` is SHA-256 over its kind and whom it counts."""

    __tablename__ = "sign_in_failures"

    bucket: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    failures: Mapped[int]
    first_at: Mapped[float]
    #: The last failure; in a bucket that drains, the moment from which it drains on.
    last_at: Mapped[float]
    #: When the row says nothing any more and may go.
    expires_at: Mapped[float] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"<SignInFailures {self.failures}>"


class KnownDevice(Base):
    """A browser from which an account signed in before; without a cookie, just the network."""

    __tablename__ = "known_devices"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    device_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    network: Mapped[str] = mapped_column(sa.String(64))
    last_at: Mapped[float] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"<KnownDevice of {self.account_id}>"
