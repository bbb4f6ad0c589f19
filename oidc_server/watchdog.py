"""The workers of one server look after each other: one that stands still is killed, and the server starts another in its place.

granian and gunicorn replace a worker that died; one that hangs (a deadlock, a stopped process) they leave as it is. Each worker
shows by a file that it lives. Rounds are counted and no clock is compared, so a machine that slept kills nobody.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from flask import Flask

log = logging.getLogger(__name__)

#: Seconds between two signs of life.
ROUND = 2.0
#: Rounds without a sign of life after which a worker counts as hung.
PATIENCE = 8


class Watch:
    """What one worker knows about the others; `folder` belongs to the workers of one supervisor."""

    def __init__(self, folder: Path, *, kill: Callable[[int, int], None] = os.kill) -> None:
        self._folder = folder
        self._kill = kill
        self._own = folder / str(os.getpid())
        self._seen: dict[str, tuple[int, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def round(self) -> None:
        """Show that this worker lives, and look at the others."""
        self._own.touch()
        for sign in self._folder.iterdir():
            if sign == self._own:
                continue
            try:
                touched = sign.stat().st_mtime_ns
            except FileNotFoundError:
                continue  # another worker has tidied it away
            before, rounds = self._seen.get(sign.name, (touched, 0))
            self._seen[sign.name] = (touched, rounds + 1) if touched == before else (touched, 0)
            if self._seen[sign.name][1] >= PATIENCE:
                self._end(sign)

    def _end(self, sign: Path) -> None:
        sign.unlink(missing_ok=True)
        del self._seen[sign.name]
        # Only a process that the same supervisor started: the number may belong to somebody else by now.
        if _parent_of(sign.name) == os.getppid():
            log.error("worker %s stands still and is killed; the server starts another", sign.name)
            self._kill(int(sign.name), signal.SIGKILL)


def mount(app: Flask) -> None:
    """Watch from the first request on, which only a worker gets."""
    started = threading.Event()

    @app.before_request
    def start() -> None:
        if not started.is_set():
            started.set()
            _start(Path(app.instance_path) / "workers")


def _start(folder: Path) -> None:
    """Watch from a daemon thread. Without /proc (other systems than Linux) or without a place to write, nobody watches."""
    if not Path("/proc/self/stat").exists():
        return
    try:
        _remove_folders_of_dead_servers(folder)
        watch = Watch(folder / str(os.getppid()))
    except OSError as error:
        log.warning("hung workers will not be replaced: %s", error)
        return
    threading.Thread(target=_run, args=(watch,), name="watchdog", daemon=True).start()


def _run(watch: Watch) -> None:
    pause = threading.Event()
    while not pause.wait(ROUND):
        try:
            watch.round()
        except OSError:
            log.exception("the watchdog missed a round")


def _remove_folders_of_dead_servers(folder: Path) -> None:
    for left in folder.iterdir() if folder.exists() else ():
        if not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)


def _parent_of(pid: str) -> int | None:
    try:
        stat = Path("/proc", pid, "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # "pid (name) state ppid …", and a name may hold anything.
    return int(stat.rpartition(")")[2].split()[1])
