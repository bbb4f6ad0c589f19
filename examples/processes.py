"""The processes of `make run`: started together, watched, and ended together, each with all that it started itself."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GRACE = 5.0  # seconds between the request to stop and the end
LAST_LINES = 15


class Crashed(Exception):
    """A process ended by itself; the message has its last lines."""


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, or a signal to the same effect."""


class Processes:
    """What was started, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.stopping = threading.Event()
        self._folder = folder
        self._started: dict[str, subprocess.Popen[str]] = {}
        self._said: dict[str, deque[str]] = {}
        self._shown = threading.Event()

    def start(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        """Start a process in a group of its own, so that its children end with it."""
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        self._started[name] = process
        self._said[name] = deque(maxlen=LAST_LINES)
        threading.Thread(target=self._read, args=(name, process), daemon=True).start()

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._said[name].append(line)
            if self._shown.is_set():
                sys.stderr.write(f"{name:8}| {line}")
                sys.stderr.flush()

    def show_output(self) -> None:
        """From now on, pass on what the processes say; until now only a crash tells."""
        self._shown.set()

    def finish(self, name: str) -> None:
        """Wait until a process has ended well. Raises Crashed or Stopped."""
        process = self._started[name]
        self.wait_for(lambda: process.poll() == 0, except_for=name)
        del self._started[name]

    def wait_for(self, condition: Callable[[], bool], *, within: float = math.inf, except_for: str = "") -> None:
        """Wait until a condition holds, `within` seconds. Raises Stopped; Crashed when one ended or time is up."""
        until = time.monotonic() + within
        while not condition():
            if time.monotonic() > until:
                raise Crashed(f"Not everything answered within {within:.0f} seconds; everything stops.")
            for name, process in self._started.items():
                status = process.poll()
                if status is not None and not (status == 0 and name == except_for):
                    time.sleep(0.2)  # for its last words
                    said = "".join(f"  {line}" for line in self._said[name])
                    raise Crashed(f"{name} ended with status {status}; everything stops. It said last:\n{said}")
            if self.stopping.wait(0.05):
                raise Stopped

    def stop_all(self) -> None:
        """Ask every group to end, and end what has not after some seconds."""
        self._shown.clear()
        for process in self._started.values():
            _signal_group(process, signal.SIGTERM)
        until = time.monotonic() + GRACE
        for process in self._started.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
        for process in self._started.values():
            _signal_group(process, signal.SIGKILL)  # whatever is left of it
            process.wait()


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone already; macOS says the latter of a zombie
        os.killpg(process.pid, number)
