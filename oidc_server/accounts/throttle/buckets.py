"""What a failed sign-in is counted by, and how long each count makes the next attempt wait.

    pair     account and network     five free, then 2, 4, 8 … seconds, at most 15 minutes
    device   account and known browser     the same; it takes the place of all others, so no stranger can fill it
    account  account from anywhere   100 in a row close the door to strangers; known devices and networks pass
    network  any account             100 at once, then one per six seconds (spraying)
    site     any account, IPv6 /48   1,000 at once, then one per 0.6 seconds

An account is its id, or the folded name when nobody has it: unknown names fill their buckets exactly as others do.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

FREE_FAILURES = 5
LONGEST_WAIT = 900.0
#: Consecutive failures after which only known devices and networks may try (SP 800-63B-4 §3.2.2: at most 100).
MOST_CONSECUTIVE = 100
#: Failures after which a known browser is treated as anybody's: it may be stolen.
MOST_OF_DEVICE = 30
_DAY = 86400.0


class Count(NamedTuple):
    """The state of one bucket: how full it is, since when, and when it was last filled (or drained)."""

    failures: int = 0
    first_at: float = 0.0
    last_at: float = 0.0


@dataclass(frozen=True)
class Kind:
    """How one kind of bucket drains, how long it makes wait at a count, and how long its row is of use (seconds)."""

    name: str
    wait: Callable[[Count, float], float]
    lifetime: Callable[[Count], float]
    drain: float = 0.0  # seconds in which one failure leaves by itself; 0: only a success empties it

    def with_one_more(self, count: Count, at: float) -> Count:
        """The count after another failure."""
        drains_on = self.drain and count.failures
        return Count(count.failures + 1, count.first_at or at, count.last_at if drains_on else at)

    def drained(self, count: Count, at: float) -> Count:
        """The count without what has drained until now; the part of a failure that has is kept in `last_at`."""
        if not self.drain:
            return count
        gone = int(max(0.0, at - count.last_at) / self.drain)
        if gone >= count.failures:
            return Count()
        return count._replace(failures=count.failures - gone, last_at=count.last_at + gone * self.drain)


class Bucket(NamedTuple):
    """One bucket of a kind; `key` is what its row is called."""

    kind: Kind
    key: str


def _growing_wait(count: Count, at: float) -> float:
    if count.failures < FREE_FAILURES:
        return 0.0
    # The exponent is capped before the power, which no float would hold.
    wait = min(2.0 ** min(count.failures - FREE_FAILURES + 1, 20), LONGEST_WAIT)
    return min(wait, count.last_at + wait - at)  # a clock set back makes nobody wait longer


def _closed(count: Count, _at: float) -> float:
    return LONGEST_WAIT if count.failures >= MOST_CONSECUTIVE else 0.0


def _draining(name: str, burst: int, drain: float) -> Kind:
    def wait(count: Count, _at: float) -> float:
        return min(max(0.0, (count.failures - burst + 1) * drain), LONGEST_WAIT)

    return Kind(name, wait, lambda count: count.failures * drain + 60.0, drain)


PAIR = Kind("pair", _growing_wait, lambda count: _DAY)
DEVICE = Kind("device", _growing_wait, lambda count: 7 * _DAY)
ACCOUNT = Kind("account", _closed, lambda count: 7 * _DAY if count.failures > FREE_FAILURES else _DAY)
NETWORK = _draining("network", 100, 6.0)
SITE = _draining("site", 1000, 0.6)

# What a success says nothing about: one right password does not excuse the other names that were tried from there.
SHARED_KINDS = (NETWORK, SITE)


def bucket(kind: Kind, *whom: str) -> Bucket:
    """The bucket of a kind that counts exactly these."""
    return Bucket(kind, hashlib.sha256(json.dumps([kind.name, *whom]).encode()).hexdigest())


def buckets_of_stranger(who: str, network: str) -> list[Bucket]:
    """Where an attempt from an unknown browser is counted."""
    found = [bucket(ACCOUNT, who), bucket(PAIR, who, network), bucket(NETWORK, network)]
    if site := _site_of(network):
        found.append(bucket(SITE, site))
    return found


def buckets_of_device(who: str, device_hash: str) -> list[Bucket]:
    """Where an attempt from a known browser is counted; the account's own count is kept, but does not stop it."""
    return [bucket(ACCOUNT, who), bucket(DEVICE, who, device_hash)]


def _site_of(network: str) -> str | None:
    try:
        found = ipaddress.ip_network(network)
    except ValueError:
        return None
    return str(found.supernet(new_prefix=48)) if found.version == 6 and found.prefixlen > 48 else None
