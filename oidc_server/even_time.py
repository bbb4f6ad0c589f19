"""The last tenth of a millisecond that tells a known person from an unknown one, where the same work has been done for both (F-22)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds: what is done within even_time() takes a whole number of these, so that the work itself cannot be timed.
BEAT = 0.05


@contextmanager
def even_time(*refusals: type[Exception]) -> Iterator[None]:
    """Wait at the end until the beat is full; given `refusals`, only when one of them is raised. Nothing may be locked meanwhile."""
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        if not refusals or isinstance(error, refusals):
            _wait(started)
        raise
    if not refusals:
        _wait(started)


def _wait(started: float) -> None:
    time.sleep(BEAT - (time.monotonic() - started) % BEAT)
