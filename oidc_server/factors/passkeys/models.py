"""The tables of passkeys (WebAuthn §4, credential record) and of the user handles that authenticators keep."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ...database import Base


class Passkey(Base):
    """One credential of one person; `id` is what our own forms call it, `public_key` is a COSE key (RFC 9052 §7).

    `backup_eligible` says whether its provider may copy it to other devices, `backed_up` whether it did.
    """

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(sa.LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary(2048))
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    transports: Mapped[list[str]]
    aaguid: Mapped[str] = mapped_column(sa.String(36))
    name: Mapped[str] = mapped_column(sa.String(64))
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    created_at: Mapped[float]
    last_used_at: Mapped[float | None]

    @property
    def amr(self) -> str:
        """How its key is kept, as far as we know (RFC 8176 §2): `swk` when it may be copied, else `hwk`.

        Without attestation that is the word of the authenticator, which signs it anew with every use.
        """
        return "swk" if self.backup_eligible else "hwk"

    def __repr__(self) -> str:
        return f"<Passkey {self.id}>"


class UserHandle(Base):
    """What authenticators know a person by: 32 random bytes, so that no device holds a name, an address or the `sub` (WebAuthn §14.6.1)."""

    __tablename__ = "user_handles"

    account_id: Mapped[str] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    user_handle: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
