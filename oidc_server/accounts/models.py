"""The table of people."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class Account(Base):
    """One person. `id` is random, never reused and becomes the `sub` of every token (OIDC Core §2).

    The keys are the names as identifiers.key_of() folds them; `claims` holds the other standard claims.
    """

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(64))
    username_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    email: Mapped[str | None] = mapped_column(sa.String(254))
    email_key: Mapped[str | None] = mapped_column(sa.String(254), unique=True)
    email_verified: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    claims: Mapped[dict[str, Any]] = mapped_column(default=dict)
    roles: Mapped[list[str]] = mapped_column(default=list)
    groups: Mapped[list[str]] = mapped_column(default=list)
    disabled_at: Mapped[float | None]
    password_changed_at: Mapped[float | None]
    #: What was opened or issued before this moment has ended: sessions, codes, token families.
    signed_out_before: Mapped[float | None]
    created_at: Mapped[float]
    updated_at: Mapped[float]
    last_login_at: Mapped[float | None]

    @property
    def is_verified(self) -> bool:
        """Whether this person has shown that they read their e-mail address."""
        return self.email is not None and self.email_verified

    @property
    def is_active(self) -> bool:
        """Whether this person may sign in, and what was issued to them still counts."""
        return self.disabled_at is None

    def get_user_id(self) -> str:
        """The subject identifier, as Authlib asks for it."""
        return self.id

    def __repr__(self) -> str:
        return f"<Account {self.id}>"  # no name, address or hash: this ends up in logs


class ClientRoles(Base):
    """The roles that a person has at one client alone, beside `Account.roles`, which are theirs at every one."""

    __tablename__ = "account_roles"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    # A client that is made anew under an old name finds no roles waiting for it.
    client_id: Mapped[str] = mapped_column(
        sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    roles: Mapped[list[str]]
