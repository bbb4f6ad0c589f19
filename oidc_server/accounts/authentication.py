"""Signing in with a password: the one path for the login page, the password grant and whatever comes later.

Unknown, disabled and wrong cost the same and look the same; the attempt is counted before the password is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .. import audit
from ..database import transact
from ..even_time import even_time
from . import sign_ins, store, throttle
from .hash_slots import Busy
from .identifiers import key_of
from .models import Account
from .passwords import MAX_LENGTH, current_passwords
from .throttle import TooManyAttempts

# A longer name is nobody's; it is counted by its beginning, so that folding it stays cheap.
_MAX_COUNTED_LENGTH = 512


class WrongCredentials(Exception):
    """No account has this name and this password. Why exactly is in the audit log and nowhere else."""


def authenticate(
    login: str,
    password: str,
    *,
    network: str,
    device: str | None,
    is_whole: bool = True,
    refuse: Callable[[Account], str | None] = lambda account: None,
) -> Account:
    """The account of this user name or e-mail address, if the password is its own. Not to be called inside transact().

    `device` is the value of the browser's long-lived cookie, if it has one. With `is_whole` false the password may not be
    all that is asked for: whoever asks on calls record_sign_in() at the end, so that no browser becomes known, and no
    sign-in is written down, by half a proof. `refuse` gives a reason for which a right password counts as a wrong one.
    Raises WrongCredentials, TooManyAttempts, Busy, and TypeError for what is no text.
    """
    if not isinstance(login, str) or not isinstance(password, str):
        raise TypeError("login and password are texts")
    if len(password) > MAX_LENGTH:
        # Nobody's password, whoever asks: refused before anything is computed from it.
        audit.record(audit.SIGN_IN_FAILED, account_id=None, network=network, reason="too long")
        raise WrongCredentials
    passwords = current_passwords()
    try:
        with even_time(WrongCredentials, TooManyAttempts), passwords.slots.admit():
            return _authenticate(login, password, network, device, is_whole, refuse)
    except Busy:
        audit.record(audit.SIGN_IN_BUSY, network=network)
        raise


def record_sign_in(
    account: Account, *, network: str, device: str | None, tell: Callable[[], None] = lambda: None
) -> None:
    """Write down that somebody signed in wholly: when it was, and the browser, which is known from now on.

    `tell` is called in the same transaction when the account knows browsers, and this is none of them.
    """

    def write() -> None:
        if sign_ins.record_sign_in_of(account.id, network=network, device=device):
            tell()
        audit.record(audit.SIGN_IN, account_id=account.id, network=network)

    transact(write)


def counter_key(login: str) -> str:
    """Who an attempt is counted for: the account, whichever of its names was typed, else the folded name itself."""
    return _counted_as(store.id_of_login(login), login)


def sign_in_identity(login: str, *, network: str, device: str | None) -> tuple[str, str]:
    """What the rate limit `sign_in` counts by: the account, and the browser it knows or else the network."""
    account_id = store.id_of_login(login)
    return _counted_as(account_id, login), throttle.counted_from(account_id, network, device)


def _authenticate(
    login: str,
    password: str,
    network: str,
    device: str | None,
    is_whole: bool,
    refuse: Callable[[Account], str | None],
) -> Account:
    passwords = current_passwords()
    account = store.find_by_login(login)
    account_id = account.id if account else None
    stored = account.password_hash if account is not None and account.is_active else None
    who = _counted_as(account_id, login)
    try:
        attempt = throttle.reserve(who, account_id=account_id, network=network, device=device)
    except throttle.TooManyAttempts as error:
        audit.record(audit.SIGN_IN_THROTTLED, account_id=account_id, network=network, retry_after=error.retry_after)
        raise
    try:
        matches = passwords.verify(password, stored)
    except Busy:
        throttle.give_back(attempt)
        raise
    signed_in = None
    refused = refuse(account) if matches and account is not None else None
    if matches and account is not None and stored is not None and refused is None:
        succeed = partial(sign_ins.record_sign_in, attempt, account.id, stored, _rehashed(password, stored))
        signed_in = transact(lambda: _write_success(succeed(is_whole=is_whole), network, is_whole))
    if signed_in is None:
        reason = refused or _reason(account, matches)
        audit.record(audit.SIGN_IN_FAILED, account_id=account_id, network=network, reason=reason)
        raise WrongCredentials
    return signed_in


def _write_success(signed_in: Account | None, network: str, is_whole: bool) -> Account | None:
    """In the transaction of the success itself, so that signing in costs no other one."""
    if signed_in is not None and is_whole:
        audit.record(audit.SIGN_IN, account_id=signed_in.id, network=network)
    return signed_in


def _rehashed(password: str, stored: str) -> str | None:
    passwords = current_passwords()
    if not passwords.needs_rehash(stored):
        return None
    try:
        return passwords.hash(password)
    except Busy:
        return None  # the next sign-in will do it


def _counted_as(account_id: str | None, login: str) -> str:
    # Every spelling of a name, and the address beside the user name, share one count: that of the account.
    return account_id if account_id is not None else f"name {key_of(login[:_MAX_COUNTED_LENGTH])}"


def _reason(account: Account | None, matches: bool) -> str:
    if account is None:
        return "unknown"
    if matches:
        return "changed meanwhile"
    if not account.is_active:
        return "disabled"
    return "wrong password" if account.password_hash is not None else "no password"
