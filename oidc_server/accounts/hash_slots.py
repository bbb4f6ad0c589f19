"""Room for a few password hashes at a time, behind everything else that the processor has to do."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

T = TypeVar("T")

# Waiting longer than this for a turn (seconds) helps nobody: the person is told to try again.
_LONGEST_WAIT = 4.0
# Of setpriority(2): two hashes that never end leave 60 % of a core to the threads that answer requests.
_NICENESS = 5


class Busy(Exception):
    """All hash slots and the queue before them are taken; `retry_after` is in whole seconds (503, Retry-After)."""

    retry_after = 2


class HashSlots:
    """At most `slots` password hashes at a time, with a short queue, so that sign-ins do not starve everything else."""

    def __init__(self, slots: int, waiting: int) -> None:
        self._slots = slots
        self._running = threading.BoundedSemaphore(slots)
        self._admitted = threading.BoundedSemaphore(slots + waiting)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place in the queue, which is cheap to refuse before anything was done. Raises Busy."""
        if not self._admitted.acquire(blocking=False):
            raise Busy
        try:
            yield
        finally:
            self._admitted.release()

    def compute(self, work: Callable[[], T]) -> T:
        """What `work` answers, computed in a thread that steps back for those that answer requests. Raises Busy."""
        with self.turn():
            return _threads(self._slots).submit(work).result()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the slots. Raises Busy when no turn comes in time."""
        if not self._running.acquire(timeout=_LONGEST_WAIT):
            raise Busy
        try:
            yield
        finally:
            self._running.release()


@cache
def _threads(slots: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(slots, "password-hash", initializer=_step_back)


# A child has none of its parent's threads.
os.register_at_fork(after_in_child=_threads.cache_clear)


def _step_back() -> None:
    if sys.platform == "linux":  # where each thread has a priority of its own, which nobody may raise again
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
