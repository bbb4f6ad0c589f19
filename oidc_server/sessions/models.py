"""The table of browser sessions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..database import Base


class Session(Base):
    """One browser session; `cookie_hash` is SHA-256 of the cookie's value, `sid` its public name in ID tokens."""

    __tablename__ = "sessions"

    cookie_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    sid: Mapped[str] = mapped_column(sa.String(32), unique=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    auth_time: Mapped[float]
    acr: Mapped[str] = mapped_column(sa.String(100))
    amr: Mapped[list[str]]
    created_at: Mapped[float]
    last_seen_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)
    network: Mapped[str] = mapped_column(sa.String(64))
    user_agent: Mapped[str] = mapped_column(sa.String(200))

    account: Mapped[Any] = relationship("Account", lazy="joined", innerjoin=True)

    def __repr__(self) -> str:
        return f"<Session sid={self.sid}>"
