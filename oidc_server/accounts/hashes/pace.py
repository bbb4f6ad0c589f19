"""How long a password takes to verify, whoever's it is: the quick hash waits as long as the slow one computes.

While people are coming along from another system, some accounts have its hashes, and theirs would be told from the others, and from
names that nobody has, by the time of a wrong password. So every try takes as long as the slowest kind seen in this process within
the last day. Waiting holds no hash slot. With one kind of hash alone, as before and after a migration, nothing waits.

What remains: the first try of a slower kind in each process stands out, as do differences smaller than the noise of the machine.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from typing import NamedTuple

_SAMPLES = 15
_REMEMBERED = 86400.0  # seconds
_MOST_KINDS = 50
# Nobody waits longer than this (seconds), whatever a loaded machine measured.
_LONGEST = 2.0


class _Kind(NamedTuple):
    durations: deque[float]
    seen_at: float


class Pace:
    """The durations of late, by the kind of hash and its cost."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()

    def rest(self, kind: str, taken: float, *, spellings: int = 1) -> float:
        """Seconds that are left to wait after a try of this kind that took `taken`; `spellings` of the password may be tried."""
        with self._lock:
            at = time.monotonic()
            durations = self._kinds[kind].durations if kind in self._kinds else deque(maxlen=_SAMPLES)
            if spellings == 1:
                durations.append(taken)
            if durations:
                self._kinds[kind] = _Kind(durations, at)
            self._forget_old(at)
            if len(self._kinds) < 2:
                return 0.0
            slowest = max(statistics.median(known.durations) for known in self._kinds.values())
        return max(0.0, min(slowest * spellings, _LONGEST) - taken)

    def _forget_old(self, at: float) -> None:
        for kind in [name for name, known in self._kinds.items() if at - known.seen_at > _REMEMBERED]:
            del self._kinds[kind]
        while len(self._kinds) > _MOST_KINDS:
            del self._kinds[min(self._kinds, key=lambda name: self._kinds[name].seen_at)]
