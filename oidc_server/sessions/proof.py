"""What a person proves at this browser with a password, at the door and once more inside. ASVS 6.2.3, 7.5.1; rows SE-12, PW-11."""

from __future__ import annotations

from flask import request

from .. import accounts, csrf, factors, rate_limits
from ..accounts import Account
from ..database import now
from ..networks import client_network
from .models import Session

#: Seconds for which a sign-in is proof enough for what an open browser alone must not do.
RECENT = 15 * 60.0


class NotProved(Exception):
    """The password is not the current one, or cannot be looked at now; `wait` is in whole seconds."""

    def __init__(self, status: int, wait: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.wait = wait


def authenticate(login: str, password: str) -> Account:
    """The account of a user name or address and a password that were typed in this browser, counted against guessing.

    The password may not be all that is asked for: accounts.record_sign_in() follows when the sign-in is whole.
    Raises accounts.WrongCredentials, accounts.TooManyAttempts, accounts.Busy and rate_limits.RateLimited.
    """
    network = client_network(request)
    if not login or not password:
        raise accounts.WrongCredentials
    device = csrf.browser_id()
    rate_limits.hit("sign_in", *accounts.sign_in_identity(login, network=network, device=device))
    return accounts.authenticate(login, password, network=network, device=device, is_whole=False)


def require_password(account: Account, password: str) -> None:
    """The password is the account's; an account without one has proved what it can. Raises NotProved with 403, 429 or 503."""
    if account.password_hash is None:
        return
    try:
        authenticate(account.username, password)
    except accounts.WrongCredentials as error:
        raise NotProved(403) from error
    except (accounts.TooManyAttempts, rate_limits.RateLimited) as error:
        raise NotProved(429, error.retry_after) from error
    except accounts.Busy as error:
        raise NotProved(503, error.retry_after) from error


def is_recent(session: Session) -> bool:
    """Whether the person of a session proved who they are within RECENT seconds, and as wholly as a sign-in would ask today."""
    # With as many factors as a sign-in would ask for today: a password alone must not take away what was added to it since.
    is_whole = factors.reaches(session.acr, factors.acr_needed(session.account, factors.of(session.account_id)))
    return now() - session.auth_time <= RECENT and is_whole
