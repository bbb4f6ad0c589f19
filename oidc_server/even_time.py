"""The last tenth of a millisecond that tells a known person from an unknown one, where the same work has been done for both (F-22)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds: what is done within even_time() takes a whole number of these, so that the work itself cannot be timed.
BEAT = 0.05


@contextmanager
def even_time() -> Iterator[None]:
    """Wait at the end until the beat is full, whether it ended well or not. Nothing may be locked meanwhile."""
    started = time.monotonic()
    try:
        yield
    finally:
        time.sleep(BEAT - (time.monotonic() - started) % BEAT)
