"""The owner is told by mail, and the audit log, when a way to sign in is added or removed: it may not have been the owner."""

from __future__ import annotations

from .. import audit, languages, mail
from ..accounts import Account
from ..database import now


def tell_added(account: Account, factor: str, *, network: str | None, **facts: object) -> None:
    """`factor` is one of mail.FACTORS. Call inside database.transact()."""
    event = audit.RECOVERY_CODES_MADE if factor == "recovery_codes" else audit.FACTOR_ADDED
    _tell("factor_added", event, account, factor, network, facts)


def tell_removed(account: Account, factor: str, *, network: str | None, **facts: object) -> None:
    """`factor` is one of mail.FACTORS. Call inside database.transact()."""
    _tell("factor_removed", audit.FACTOR_REMOVED, account, factor, network, facts)


def _tell(kind: str, event: str, account: Account, factor: str, network: str | None, facts: dict[str, object]) -> None:
    if account.email is not None:
        language = (account.claims or {}).get("locale") or languages.current()
        mail.send(
            kind, account.email, language=language, account_id=account.id, factor=factor, at=now(), network=network
        )
    audit.record(event, account_id=account.id, kind=factor, **facts)
