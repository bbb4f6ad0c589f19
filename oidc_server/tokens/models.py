"""The table of token families."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..database import Base


class Family(Base):
    """Everything issued from one authorization.

    It remembers the live refresh token and the one before it (as hashes), and nothing older: the older ones name their family
    themselves, as does the code it was born of, so however often a family rotates it stays one row.
    """

    __tablename__ = "token_families"

    #: As names.py makes it.
    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(sa.ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    #: The browser session it ends with; None for offline_access and for grants without a browser.
    session_sid: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    #: What was authorized, in the shape of families.Authorization.
    authorization: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[float]
    #: The absolute end: no rotation moves it.
    expires_at: Mapped[float] = mapped_column(index=True)
    revoked_at: Mapped[float | None]
    revoked_because: Mapped[str | None] = mapped_column(sa.String(40))

    refresh_hash: Mapped[str | None] = mapped_column(sa.String(64))
    refresh_generation: Mapped[int]
    refresh_expires_at: Mapped[float | None]
    previous_hash: Mapped[str | None] = mapped_column(sa.String(64))
    rotated_at: Mapped[float | None]
    #: The answer that the previous token returns within the grace, sealed under a key that only that token yields.
    sealed_successor: Mapped[bytes | None]

    account: Mapped[Any] = relationship("Account", lazy="joined", innerjoin=True)

    def __repr__(self) -> str:
        return f"<Family {self.id} of client {self.client_id}>"
