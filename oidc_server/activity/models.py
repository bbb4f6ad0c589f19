"""The table of what happened to accounts."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class Activity(Base):
    """One thing that happened, or several alike within an hour: `times` counts them, from `at` to `last_at`.

    `id` is random, so that it says nothing about how much happens here; without an account the row is nobody's and soon gone.
    """

    __tablename__ = "activity"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    account_id: Mapped[str | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(sa.String(60))
    at: Mapped[float] = mapped_column(index=True)
    last_at: Mapped[float]
    times: Mapped[int]
    network: Mapped[str] = mapped_column(sa.String(64))
    user_agent: Mapped[str] = mapped_column(sa.String(200))
    #: The app it was about, if it was about one; no foreign key, because what happened stays so.
    client_id: Mapped[str | None] = mapped_column(sa.String(255))

    __table_args__ = (sa.Index("ix_activity_account_id_at", "account_id", "at"),)

    def __repr__(self) -> str:
        return f"<Activity {self.event}>"
