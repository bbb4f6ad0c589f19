"""A worker that stands still is noticed by the others and replaced; a worker that was only slow is not."""

from __future__ import annotations

import os
import signal
import time
import urllib.request

import psutil
import pytest

from oidc_server import watchdog

from .site import Site


def is_served(site: Site) -> bool:
    """Whether a new connection is answered within a second: one that waits for the stopped worker is not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/healthz", timeout=1) as response:
            time.sleep(0.1)
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.mark.thorough
@pytest.mark.row("FT-22")
def test_a_stopped_worker_is_replaced_within_thirty_seconds_and_the_others_serve(sqlite_site: Site) -> None:
    site = sqlite_site
    victim = site.worker_pids()[0]
    time.sleep(2 * watchdog.ROUND)  # everybody has shown a sign of life
    os.kill(victim, signal.SIGSTOP)
    stopped = time.monotonic()
    served = 0
    while psutil.pid_exists(victim) and psutil.Process(victim).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() - stopped < 30, "nobody noticed"
        served += is_served(site)
    took = time.monotonic() - stopped
    site.wait_for_workers()
    assert victim not in site.worker_pids()
    assert served > 10, "connections that the kernel gave to other workers are served"
    print(
        f"F-07 on {site.kind}: a hung worker was killed {took:.1f} s after it stopped; {served} requests were served meanwhile"
    )
