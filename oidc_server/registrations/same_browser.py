"""Whether the browser that answers a mail is the one that asked for it: a stranger may sign up with somebody else's address (SE-13)."""

from __future__ import annotations

import hashlib
import hmac

from .. import csrf, sessions
from ..confirmations import Confirmation


def browser_hash() -> str:
    """What is remembered of the browser that signs up."""
    return hashlib.sha256(csrf.browser_id().encode()).hexdigest()


def is_this_browser(confirmation: Confirmation) -> bool:
    """Whether the mail was asked for in this browser, or the person is signed in here as whom it is about."""
    session = sessions.current()
    if session is not None and session.account_id == confirmation.account_id:
        return True
    return hmac.compare_digest(str(confirmation.data.get("browser") or ""), browser_hash())
