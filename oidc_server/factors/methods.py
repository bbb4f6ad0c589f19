"""The kinds of second factors, and what is asked of all of them together."""

from __future__ import annotations

import sqlalchemy as sa

from ..database import execute, transact
from ..statements import Statement
from . import passkeys, recovery_codes, totp
from .factor import Factor, Method

#: In the order in which pages list them. A new kind adds its module here; factors/__init__.py says what else it needs.
METHODS: tuple[Method, ...] = (totp, passkeys)

_HAS_ANY = Statement(
    sa.select(sa.or_(*(sa.exists().where(sa.bindparam("account_id") == method.OWNER) for method in METHODS)))
)


def of(account_id: str) -> list[Factor]:
    """The second factors of an account. Recovery codes are none: they stand in for one that is lost."""
    if not has_any(account_id):  # as most, and then one read was enough
        return []
    return [factor for method in METHODS for factor in method.list_of(account_id)]


def has_any(account_id: str) -> bool:
    """Whether an account has a second factor, in one read: each authorization request asks."""
    found = execute(_HAS_ANY, account_id=account_id)
    return found is not None and bool(found[0])


def remove(account_id: str, kind: str, factor_id: str) -> bool:
    """Delete a factor, and with the last one the recovery codes; False when the account has no such factor. Inside transact()."""
    gone = any(kind == method.KIND and method.remove(account_id, factor_id) for method in METHODS)
    if gone and not of(account_id):
        recovery_codes.forget(account_id)
    return gone


def remove_all(account_id: str) -> list[Factor]:
    """Delete every factor and recovery code of an account; what was deleted."""

    def work() -> list[Factor]:
        found = of(account_id)
        for factor in found:
            remove(account_id, factor.kind, factor.id)
        recovery_codes.forget(account_id)
        return found

    return transact(work)
