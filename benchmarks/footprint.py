"""What does not come as a rate: start to first answer, memory, how much of a sign-in is the hash, and what sign-ins do to others."""

from __future__ import annotations

import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import bcrypt
import psutil
import requests

from tests.live import LiveServer

from .servers import PASSWORD, Ours
from .work import WORK

MOST_SECONDS_TO_START = 1.0
MOST_MEMORY = {1: 120, 2: 200}  # megabytes by workers
LEAST_SHARE_OF_THE_HASH = 0.95
MOST_P99_BESIDE_SIGN_INS = 2.0  # times that of client credentials alone


@dataclass(frozen=True)
class Note:
    """A line of the report: what was measured, the figure with its unit, and the target with whether it was met."""

    what: str
    figure: str
    target: str = ""

    @classmethod
    def held(cls, what: str, figure: str, target: str, is_met: bool) -> Note:
        return cls(what, figure, f"{'met' if is_met else 'missed'}: {target}")


def measure(folder: Path) -> list[Note]:
    """Measure each of them, on SQLite."""
    lines = []
    for workers in (1, 2):
        server = Ours(folder / f"footprint-{workers}" / "server", workers=workers)
        began = time.perf_counter()
        LiveServer.start(server)
        took = time.perf_counter() - began
        try:
            if workers == 1:
                most = MOST_SECONDS_TO_START
                lines.append(Note.held("start to first answer", f"{took:.2f} s", f"≤ {most:.1f} s", took <= most))
                server.sign_in()
                lines += _sign_ins(server)
            for _ in range(50):
                server.token(
                    grant_type="client_credentials", scope="photos:read", resource="https://api.photos.example/"
                )
            name = f"memory of {workers} worker{'s' * (workers > 1)} with the supervisor (PSS)"
            used, bound = _memory(server), MOST_MEMORY[workers]
            lines.append(Note.held(name, f"{used:.0f} MB", f"≤ {bound} MB", used <= bound))
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


def _sign_ins(server: Ours, count: int = 10) -> list[Note]:
    """What one costs, how many there are in a second, and what they do to client credentials at the same time."""
    own = server.app.extensions["oidc_server"].settings
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(count):
        bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(own.bcrypt_cost))
    hashes = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    new = [server.form() for _ in range(count)]
    share_new = hashes / _cpu_of(server, new)
    for browser, _ in new:
        browser.cookies.set("oidc_session", None)  # the browser stays known to the account
    time.sleep(2)  # until the mails have gone that tell of new browsers
    known = [server.form(browser) for browser, _ in new]
    began = time.perf_counter()
    share = hashes / _cpu_of(server, known)
    rate = count / (time.perf_counter() - began)

    tokens = next(work for work in WORK if work.name == "client credentials")
    tokens.run(server, 1)
    alone = median(tokens.run(server, 3).p99_ms for _ in range(3))
    ended = threading.Event()
    crowd = [
        threading.Thread(target=_keep_signing_in, args=(server, ended)) for _ in range(own.password_hash_slots + 1)
    ]
    for one in crowd:
        one.start()
    try:
        time.sleep(1)
        beside = median(tokens.run(server, 3).p99_ms for _ in range(3))
    finally:
        ended.set()
        for one in crowd:
            one.join()
    least, most = LEAST_SHARE_OF_THE_HASH, MOST_P99_BESIDE_SIGN_INS
    return [
        Note(f"password sign-ins a second, one after the other (bcrypt, cost {own.bcrypt_cost})", f"{rate:.1f}"),
        Note.held(
            "share of the hash in the CPU time of a password sign-in", f"{share:.1%}", f"≥ {least:.0%}", share >= least
        ),
        Note("the same with a browser that the account does not know, which is told by mail", f"{share_new:.1%}"),
        Note("client credentials: p99 alone", f"{alone:.1f} ms"),
        Note.held(
            "client credentials: p99 while sign-ins fill every hash slot",
            f"{beside:.1f} ms ({beside / alone:.1f} ×)",
            f"≤ {most:.0f} × alone",
            beside <= most * alone,
        ),
    ]


def _cpu_of(server: Ours, forms: list[tuple[requests.Session, dict[str, str]]]) -> float:
    """Seconds of CPU that the server spends on these sign-ins."""
    before = _cpu(server)
    for form in forms:
        server.submit(*form)
    return _cpu(server) - before


def _keep_signing_in(server: Ours, ended: threading.Event) -> None:
    while not ended.is_set():
        server.submit(*server.form())


def _cpu(server: Ours) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _family(server))
