"""Whether the grant behind an access token still lives, by one narrow read: what introspection does for every request of every API."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ..accounts import Account
from ..database import execute
from ..statements import Statement
from .models import Family


class Standing(NamedTuple):
    """What decides about the access tokens of a family; times are epoch seconds."""

    family_id: str
    client_id: str
    username: str
    revoked_at: float | None
    disabled_at: float | None
    signed_out_before: float | None

    def counts(self, client_id: str, issued_at: int) -> bool:
        """Whether an access token counts. It may outlive the family's absolute end, by its own short life, and nothing else."""
        return (
            self.revoked_at is None
            and self.disabled_at is None
            and self.client_id == client_id
            and int(self.signed_out_before or 0) <= issued_at
        )


_QUERY = Statement(
    sa.select(
        Family.id,
        Family.client_id,
        Account.username,
        Family.revoked_at,
        Account.disabled_at,
        Account.signed_out_before,
    )
    .join(Account, Account.id == Family.account_id)
    .where(Family.id == sa.bindparam("one"))
)


def find(family_id: str) -> Standing | None:
    """The standing of a family, read afresh."""
    row = execute(_QUERY, one=family_id)
    return Standing._make(row) if row is not None else None
