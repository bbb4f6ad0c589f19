"""Where rate limits are counted: in this process, or in the Redis or Valkey that the processes share.

Both keep the moments of the requests in each window (`moving-window` of the limits library). While the shared store is
away each process counts alone: a limit becomes looser by the number of processes, it is never off.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from limits.storage import MovingWindowSupport, RedisStorage, Storage

from .database import now

T = TypeVar("T")
log = logging.getLogger(__name__)

SCHEME = "oidc-windows"

#: Windows one process remembers; beyond that the one unused for longest is forgotten (a flood of names stays bounded).
MAX_WINDOWS = 50_000
# A healthy store on the same network answers within a millisecond; a request must not wait for a sick one.
_SHARED_TIMEOUT = 0.25
_LONGEST_PAUSE = 32.0


@dataclass
class Window:
    """The moments of the requests that count, oldest first, and when the last of them leaves."""

    moments: deque[float] = field(default_factory=deque)
    ends_at: float = 0.0


class LocalWindows:
    """The windows of this process. Expired ones are dropped in passing: there is no thread that sweeps."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, Window] = OrderedDict()
        self._lock = threading.Lock()

    def acquire(self, key: str, limit: int, seconds: int, amount: int) -> bool:
        with self._lock:
            at = now()
            while self._windows and self._is_dispensable(next(iter(self._windows.values())), at):
                self._windows.popitem(last=False)
            window = self._windows.setdefault(key, Window())
            while window.moments and window.moments[0] <= at - seconds:
                window.moments.popleft()
            while window.moments and window.moments[-1] > at:
                window.moments.pop()  # the clock was set back: what lies ahead must not block anybody for that long
            if len(window.moments) + amount > limit:
                return False
            window.moments.extend([at] * amount)
            window.ends_at = at + seconds
            self._windows.move_to_end(key)
            return True

    def occupied(self, key: str, seconds: int) -> tuple[float, int]:
        """When the oldest counted request of the window was, and how many there are."""
        at = now()
        with self._lock:
            counted = [moment for moment in self._windows.get(key, Window()).moments if moment > at - seconds]
        return (counted[0] if counted else at), len(counted)

    def forget(self, key: str | None = None) -> int:
        with self._lock:
            gone = len(self._windows) if key is None else int(key in self._windows)
            if key is None:
                self._windows.clear()
            else:
                self._windows.pop(key, None)
        return gone

    def __len__(self) -> int:
        return len(self._windows)

    def _is_dispensable(self, oldest: Window, at: float) -> bool:
        return oldest.ends_at <= at or len(self._windows) > MAX_WINDOWS


class Windows(Storage, MovingWindowSupport):
    """The storage behind Flask-Limiter: the shared store when there is one and it answers, else this process alone."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the registry of the limits library asks for a list

    def __init__(self, uri: str | None = None, shared_url: str = "") -> None:
        super().__init__(uri)
        self.local = LocalWindows()
        self.shared = _connect(shared_url) if shared_url else None
        self._absences: tuple[type[Exception], ...] = (OSError,)
        if self.shared is not None:
            self._absences += (self.shared.dependency.RedisError,)
        self._pause = 0.0
        self._ask_again_at = 0.0

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self._ask(
            lambda shared: shared.acquire_entry(key, limit, expiry, amount),
            lambda: self.local.acquire(key, limit, expiry, amount),
        )

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        return self._ask(
            lambda shared: shared.get_moving_window(key, limit, expiry),
            lambda: self.local.occupied(key, expiry),
        )

    def check(self) -> bool:
        """Whether the windows are counted where they should be: false while the shared store is away."""
        return self.shared is None or bool(self.shared.check())

    def reset(self) -> int | None:
        return self._ask(lambda shared: shared.reset(), self.local.forget)

    def clear(self, key: str) -> None:
        self._ask(lambda shared: shared.clear(key), lambda: self.local.forget(key))

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return ValueError

    # Counters of fixed windows, which the moving-window strategy never asks for.
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def _ask(self, shared: Callable[[RedisStorage], T], local: Callable[[], T]) -> T:
        if self.shared is None or time.monotonic() < self._ask_again_at:
            return local()
        try:
            answer = shared(self.shared)
        except self._absences as error:
            if not self._pause:
                log.warning("rate limits: the shared store is away (%s); processes count alone", type(error).__name__)
            self._pause = min(max(1.0, self._pause * 2), _LONGEST_PAUSE)
            self._ask_again_at = time.monotonic() + self._pause
            return local()
        if self._pause:
            log.warning("rate limits: the shared store is back")
            self._pause = 0.0
        return answer


def _connect(url: str) -> RedisStorage:
    # Imported by those who have one: it costs others a tenth of their start.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # Valkey speaks the protocol of Redis, so one client package serves both.
    return RedisStorage(
        "redis" + url.removeprefix("valkey") if url.startswith("valkey") else url,
        key_prefix="oidc",
        socket_timeout=_SHARED_TIMEOUT,
        socket_connect_timeout=_SHARED_TIMEOUT,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis.Redis
    )
