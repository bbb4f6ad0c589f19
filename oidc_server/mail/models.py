"""The outbox: mails that wait, and for a week what became of those that do not."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class OutboxMail(Base):
    """One mail. It waits while `due_at` is set; afterwards `ended_at` is, and `problem` if it was not delivered.

    `sealed` is subject, text and HTML, encrypted, because they hold links and codes; it is wiped when the mail ends.
    `lease` names the worker that is delivering it, until `due_at`.
    """

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_recipient_hash_kind_created_at", "recipient_hash", "kind", "created_at"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    recipient: Mapped[str] = mapped_column(sa.String(254))
    recipient_hash: Mapped[str] = mapped_column(sa.String(64))
    account_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    language: Mapped[str] = mapped_column(sa.String(35))
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    created_at: Mapped[float]
    gives_up_at: Mapped[float]
    due_at: Mapped[float | None] = mapped_column(index=True)
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    attempts: Mapped[int]
    ended_at: Mapped[float | None] = mapped_column(index=True)
    problem: Mapped[str | None] = mapped_column(sa.String(200))

    @property
    def state(self) -> str:
        """One of waiting, delivered, failed."""
        if self.due_at is not None:
            return "waiting"
        return "delivered" if self.problem is None else "failed"

    def __repr__(self) -> str:
        return f"<OutboxMail id={self.id} kind={self.kind} state={self.state}>"
