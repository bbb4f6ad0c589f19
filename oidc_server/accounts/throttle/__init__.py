"""Guessing made slow without locking anybody out: an attempt is counted before its password is looked at.

SP 800-63B-4 §3.2.2 (rate limiting), ASVS 6.1.1 and 6.3.1. The counts live in the database, so that every process sees
them and parallel guesses cannot outrun them. Endpoints: none.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from ... import audit
from ...database import now, transact
from . import store
from .buckets import (
    ACCOUNT,
    DEVICE,
    MOST_CONSECUTIVE,
    MOST_OF_DEVICE,
    SHARED_KINDS,
    Bucket,
    Count,
    bucket,
    buckets_of_device,
    buckets_of_stranger,
)
from .models import KnownDevice, SignInFailures
from .store import devices_of, forget_devices

__all__ = [
    "Attempt",
    "KnownDevice",
    "SignInFailures",
    "TooManyAttempts",
    "attempt_from",
    "clear",
    "counted_from",
    "devices_of",
    "forget_devices",
    "forgive",
    "give_back",
    "of_second_factor",
    "purge",
    "remember",
    "reserve",
]

# What an account that nobody has is looked up by among the known devices, so that it costs the same query.
_NOBODY = "-"


class TooManyAttempts(Exception):
    """This sign-in has to wait `retry_after` whole seconds; whether the account exists was not looked at."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Attempt:
    """One counted attempt, to be given back, or turned into a success."""

    network: str
    device_hash: str
    buckets: tuple[Bucket, ...]


def reserve(who: str, *, account_id: str | None, network: str, device: str | None) -> Attempt:
    """Count an attempt on the account `who` before its password is looked at. Raises TooManyAttempts."""
    device_hash = _hash_device(device, network)

    def count() -> tuple[Attempt, bool]:
        at = now()
        knows_device, knows_network = store.known_by(account_id or _NOBODY, device_hash, network)
        chosen, counts = _choose(who, network, device_hash if device is not None and knows_device else None)
        is_trusted = knows_network or bucket(DEVICE, who, device_hash) in chosen
        filled = {}
        for one in chosen:
            before = one.kind.drained(counts[one.key], at)
            # The door that is closed to strangers stays open to those who came through it before.
            if one.kind is not ACCOUNT or not is_trusted:
                _require_no_wait(one.kind.wait(before, at))
            filled[one] = one.kind.with_one_more(before, at)
        store.save(filled)
        reached = any(one.kind is ACCOUNT and done.failures == MOST_CONSECUTIVE for one, done in filled.items())
        return Attempt(network, device_hash, tuple(chosen)), reached

    attempt, reached = transact(count)
    if reached:
        audit.record(audit.SIGN_IN_GUARDED, account_id=account_id, network=network)
    return attempt


def give_back(attempt: Attempt) -> None:
    """Uncount an attempt whose password was never looked at."""
    transact(lambda: store.take_one_from([one.key for one in attempt.buckets]))


def forgive(attempt: Attempt, who: str) -> None:
    """Empty the counts of a person who gave the right answer. Call inside database.transact()."""
    store.take_one_from([one.key for one in attempt.buckets if one.kind in SHARED_KINDS])
    own = {one.key for one in attempt.buckets if one.kind not in SHARED_KINDS}
    store.forget(own | {bucket(DEVICE, who, attempt.device_hash).key})


def remember(attempt: Attempt, account_id: str) -> bool:
    """Know the browser and network of a person who proved wholly who they are; whether that is news: the account knows browsers,

    and this is none of them. Call inside database.transact().
    """
    is_news = store.is_news(account_id, attempt.device_hash)
    store.remember(account_id, attempt.device_hash, attempt.network)
    return is_news


def attempt_from(network: str, device: str | None) -> Attempt:
    """An attempt that was never counted, because nothing could be guessed: for remember()."""
    return Attempt(network, _hash_device(device, network), ())


def of_second_factor(account_id: str) -> str:
    """Who a wrong code is counted for: apart from the passwords of the account, or a right password would forgive it."""
    return f"second factor {account_id}"


def clear(who: str) -> None:
    """Open the doors of an account again that too many failures had closed. Call inside database.transact()."""
    store.forget([bucket(ACCOUNT, who).key, bucket(ACCOUNT, of_second_factor(who)).key])


def counted_from(account_id: str | None, network: str, device: str | None) -> str:
    """What stands for the place an attempt comes from: a browser the account knows, else the network."""
    device_hash = _hash_device(device, network)
    knows_device, _ = store.known_by(account_id or _NOBODY, device_hash, network)
    return f"device {device_hash}" if device is not None and knows_device else network


def purge(limit: int) -> int:
    """Delete up to `limit` rows of each table that are of no use any more. Call inside database.transact()."""
    return store.purge(limit)


def _choose(who: str, network: str, device_hash: str | None) -> tuple[list[Bucket], dict[str, Count]]:
    """The buckets of this attempt and their locked counts: a known browser's own, unless it failed too often."""
    if device_hash is not None:
        own = buckets_of_device(who, device_hash)
        counts = store.lock(own)
        if counts[own[-1].key].failures < MOST_OF_DEVICE:
            return own, counts
    strangers = buckets_of_stranger(who, network)
    return strangers, store.lock(strangers)


def _require_no_wait(seconds: float) -> None:
    if seconds > 0:
        raise TooManyAttempts(math.ceil(seconds))


def _hash_device(device: str | None, network: str) -> str:
    # Without a cookie the network itself is what is known; the prefix keeps the two apart.
    text = f"network {network}" if device is None else f"device {device}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
