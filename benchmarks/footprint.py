"""What does not come as a rate: start to first answer, memory, and how much of a sign-in is the hash."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import bcrypt
import psutil

from .servers import PASSWORD, Ours


def measure(folder: Path) -> list[tuple[str, str]]:
    """Lines for the report: what, and the figure with its unit."""
    lines = []
    for workers in (1, 2):
        server = Ours(folder / f"footprint-{workers}" / "server", workers=workers)
        began = time.perf_counter()
        server.start()
        took = time.perf_counter() - began
        try:
            if workers == 1:
                lines.append(("start to first answer (the sign-in that follows included)", f"{took:.2f} s"))
                lines.append(
                    ("share of the hash in the CPU time of a password sign-in", f"{_share_of_hash(server):.0%}")
                )
            for _ in range(50):
                server.token(
                    grant_type="client_credentials", scope="photos:read", resource="https://api.photos.example/"
                )
            lines.append(
                (
                    f"memory of {workers} worker{'s' * (workers > 1)} with the supervisor (PSS)",
                    f"{_memory(server):.0f} MB",
                )
            )
        finally:
            server.stop()
    return lines


def _family(server: Ours) -> list[psutil.Process]:
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    return [parent, *parent.children(recursive=True)]


def _memory(server: Ours) -> float:
    # PSS: what the processes share is counted once.
    return sum(process.memory_full_info().pss for process in _family(server)) / 1e6


def _share_of_hash(server: Ours, count: int = 10) -> float:
    settings = server.app.extensions["oidc_server"].settings
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(count):
        bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(settings.bcrypt_cost))
    hashes = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    before = sum(sum(process.cpu_times()[:2]) for process in _family(server))
    for _ in range(count):
        if server.sign_in().status_code >= 400:
            raise RuntimeError("the sign-in failed")
    return min(1.0, hashes / (sum(sum(process.cpu_times()[:2]) for process in _family(server)) - before))
