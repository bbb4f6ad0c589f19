"""The table of remembered consents."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class Consent(Base):
    """What a person allowed an app, remembered per account and client (OIDC Core §3.1.2.4)."""

    __tablename__ = "consents"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True)
    scope: Mapped[list[str]]
    resources: Mapped[list[str]]
    granted_at: Mapped[float]
