"""An authenticator app that a signed-in person is setting up: its secret waits on the server until a code shows that the app has it."""

from __future__ import annotations

import base64
import secrets

from ..database import now, transact
from ..server import current_server
from . import totp

_KIND = "new_totp_secret"
LIFETIME = 900


def begin(account_id: str) -> str:
    """Make a secret for this account, and answer the id that it waits under for LIFETIME seconds."""
    identifier = secrets.token_urlsafe(20)
    sealed = base64.b64encode(totp.seal(totp.make_secret(), identifier)).decode()
    value = {"account_id": account_id, "secret": sealed}
    transact(lambda: current_server.storage.put(_KIND, identifier, value, now() + LIFETIME))
    return identifier


def find(identifier: str, account_id: str) -> bytes | None:
    """The secret that waits under an id for this account; None when it is another's, or too old."""
    value = current_server.storage.read(_KIND, identifier)
    if value is None or value["account_id"] != account_id:
        return None
    return totp.unseal(base64.b64decode(value["secret"]), identifier)


def finish(identifier: str) -> bool:
    """Spend it; False when somebody else did. Call inside database.transact()."""
    return current_server.storage.take(_KIND, identifier) is not None
