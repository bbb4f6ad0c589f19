"""The table of protected resources."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class ProtectedResource(Base):
    """One API: `identifier` is the URI that becomes the audience of its tokens, `scopes` maps each scope to a sentence for people."""

    __tablename__ = "protected_resources"

    identifier: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    scopes: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    #: Seconds; None takes the server's setting.
    access_token_lifetime: Mapped[int | None]
    #: The clients that may introspect tokens meant for this resource (RFC 7662 §2.1).
    introspection_client_ids: Mapped[list[str]]
    created_at: Mapped[float]
