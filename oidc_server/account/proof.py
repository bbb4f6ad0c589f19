"""The current password, asked for once more; wrong ones count against guessing as at the door. ASVS 6.2.3, row PW-11."""

from __future__ import annotations

from flask import request

from .. import accounts, csrf, rate_limits
from ..accounts import Account
from ..networks import client_network


class NotProved(Exception):
    """The password is not the current one, or cannot be looked at now; `wait` is in whole seconds."""

    def __init__(self, status: int, wait: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.wait = wait


def require_password(account: Account, password: str) -> None:
    """The password is the account's; an account without one has proved what it can. Raises NotProved with 403, 429 or 503."""
    if account.password_hash is None:
        return
    if not password:
        raise NotProved(403)
    network, device = client_network(request), csrf.browser_id()
    try:
        rate_limits.hit("sign_in", *accounts.sign_in_identity(account.username, network=network, device=device))
        accounts.authenticate(account.username, password, network=network, device=device, is_whole=False)
    except accounts.WrongCredentials as error:
        raise NotProved(403) from error
    except (accounts.TooManyAttempts, rate_limits.RateLimited) as error:
        raise NotProved(429, error.retry_after) from error
    except accounts.Busy as error:
        raise NotProved(503, 2) from error
