"""A sign-in that waits for its second factor: kept on the server, good in one browser, for ten minutes, once.

There is no session before the factor, so nothing else can mistake a password for a sign-in (attacks: SE-09, SE-10).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass, field

from .. import csrf
from ..accounts import Account
from ..accounts import store as accounts
from ..database import now, transact
from ..server import current_server
from . import totp

_KIND = "pending_sign_in"
LIFETIME = 600


@dataclass
class PendingSignIn:
    """Who proved what so far. `transaction` is the parked request and `then` the account page that wait; `secret` is the new
    authenticator app's, sealed, in the sign-in of somebody who has to set a factor up."""

    account_id: str
    acr: str
    amr: list[str]
    started_at: float
    browser_hash: str
    transaction: str = ""
    then: str = ""
    secret: str = ""
    id: str = field(default="", compare=False)

    def account(self) -> Account | None:
        """The person, unless the account was switched off, signed out everywhere or given another password meanwhile."""
        found = accounts.find(self.account_id)
        if found is None or not found.is_active:
            return None
        ended_at = max(found.password_changed_at or 0, found.signed_out_before or 0)
        return found if ended_at <= self.started_at else None

    def totp_secret(self) -> bytes | None:
        """The secret that a new authenticator app is offered."""
        return totp.unseal(base64.b64decode(self.secret), self.id) if self.secret else None


def begin(account: Account, *, acr: str, amr: list[str], transaction: str, then: str) -> PendingSignIn:
    """Keep what was proven, under an id of 160 random bits that only this browser can go on with."""
    at = now()
    identifier = secrets.token_urlsafe(20)
    pending = PendingSignIn(
        account_id=account.id,
        acr=acr,
        amr=amr,
        started_at=at,
        browser_hash=_browser_hash(),
        transaction=transaction,
        then=then,
        secret=base64.b64encode(totp.seal(totp.make_secret(), identifier)).decode(),
        id=identifier,
    )
    value = asdict(pending)
    del value["id"]
    transact(lambda: current_server.storage.put(_KIND, identifier, value, at + LIFETIME))
    return pending


def find(identifier: str) -> PendingSignIn | None:
    """The pending sign-in of this id and browser; None when it ended, or belongs to another browser."""
    value = current_server.storage.read(_KIND, identifier)
    if value is None or not hmac.compare_digest(value["browser_hash"], _browser_hash()):
        return None
    return PendingSignIn(**value, id=identifier)


def finish(pending: PendingSignIn) -> bool:
    """Spend it: of simultaneous completions one is told True."""
    return transact(lambda: current_server.storage.take(_KIND, pending.id)) is not None


def _browser_hash() -> str:
    return hashlib.sha256(csrf.browser_id().encode()).hexdigest()
