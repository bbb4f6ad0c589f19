"""What all second factors have in common, and what a kind of factor has to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import InstrumentedAttribute


@dataclass(frozen=True)
class Factor:
    """One second factor of an account; `id` is unique among its kind, `name` is the person's own word for it."""

    kind: str
    id: str
    name: str
    created_at: float
    last_used_at: float | None


class Method(Protocol):
    """A kind of second factor: a module with these names, in factors.METHODS."""

    KIND: str
    #: The column, with an index, that holds the account of each factor of this kind.
    OWNER: InstrumentedAttribute[str]

    def list_of(self, account_id: str) -> list[Factor]:
        """The factors of this kind, the oldest first."""

    def remove(self, account_id: str, factor_id: str) -> bool:
        """Delete one; False when the account has no such factor. Called inside database.transact()."""
