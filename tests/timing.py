"""F-22: whether the time of an answer tells known from unknown people. Interleaved samples, medians and a rank test, printed."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from oidc_server import even_time

#: One request of the n-th sample.
Door = Callable[[int], TestResponse]
#: Of each kind; the figure of the catalogue is with 1000: F22_SAMPLES=1000.
SAMPLES = int(os.environ.get("F22_SAMPLES", "150"))
#: Known people that both tries need, each asked for once: mails for one person are paced.
PEOPLE = 2 * SAMPLES
#: Seconds by which the medians may differ.
MOST = 0.005
BEAT = even_time.BEAT  # as served; other tests shorten it


def require_no_difference(name: str, known: Door, unknown: Door) -> None:
    """Ask at both doors in turn; status and length must be equal and the times too. One noisy minute gets a second try."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(even_time, "BEAT", BEAT)
        _compare(name, known, unknown)


def _compare(name: str, known: Door, unknown: Door) -> None:
    for attempt in range(2):
        times: tuple[list[float], list[float]] = ([], [])
        seen = set()
        for number in range(SAMPLES):
            # Who comes first changes, so that what one leaves behind is not always met by the other.
            order = ((0, known), (1, unknown)) if number % 2 else ((1, unknown), (0, known))
            for place, door in order:
                started = time.perf_counter()
                response = door(number + attempt * SAMPLES)
                times[place].append(time.perf_counter() - started)
                seen.add((response.status_code, len(response.data)))
        assert len(seen) == 1, seen
        medians = [statistics.median(one) * 1000 for one in times]
        p = rank_test(*times)
        print(
            f"\nF-22 {name}: {SAMPLES} known {medians[0]:.2f} ms, {SAMPLES} unknown {medians[1]:.2f} ms, "
            f"difference {medians[0] - medians[1]:+.2f} ms, rank test p = {p:.3f}"
        )
        if abs(medians[0] - medians[1]) < MOST * 1000 and p > 0.01:
            return
    raise AssertionError(f"{name}: the time tells who is known: {medians} ms, p = {p:.4f}")


def rank_test(one: list[float], other: list[float]) -> float:
    """Two-sided p of the Mann-Whitney U test, in its normal approximation (the samples are many and hardly tied)."""
    ranked = sorted((value, place) for place, values in enumerate((one, other)) for value in values)
    ranks = sum(rank for rank, (_, place) in enumerate(ranked, 1) if place == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))
