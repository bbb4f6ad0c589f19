"""What `make run` starts ends together, and what is in its way is said plainly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import processes as module
from examples.processes import Crashed, Processes, Stopped
from examples.run import CannotStart, chosen_port, require_free

ENVIRON = dict(os.environ)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setattr(module, "GRACE", 0.5)
    started = Processes(tmp_path)
    yield started
    started.stop_all()


def test_a_crash_is_told_with_its_last_lines(processes: Processes) -> None:
    processes.start("good", ["sleep", "60"], ENVIRON)
    processes.start("bad", [sys.executable, "-c", "print('first'); print('the reason'); raise SystemExit(3)"], ENVIRON)
    with pytest.raises(Crashed, match=r"(?s)bad ended with status 3.*the reason"):
        processes.wait_for(lambda: False, within=10)


def test_stopping_ends_the_children_of_children(processes: Processes, tmp_path: Path) -> None:
    processes.start("parent", ["sh", "-c", "sleep 60 & echo $! >child; wait"], ENVIRON)
    child = tmp_path / "child"
    processes.wait_for(lambda: child.exists() and child.read_text().strip() != "", within=10)
    number = int(child.read_text())
    assert is_running(number)
    processes.stop_all()
    until = time.monotonic() + 5  # it has its signal; on a busy machine it has not died of it yet
    while is_running(number) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(number)


def test_who_does_not_listen_is_ended_after_the_grace(processes: Processes, tmp_path: Path) -> None:
    processes.start("deaf", ["sh", "-c", "trap '' TERM; touch ready; while :; do sleep 0.1; done"], ENVIRON)
    processes.wait_for((tmp_path / "ready").exists, within=10)
    began = time.monotonic()
    processes.stop_all()
    assert 0.4 < time.monotonic() - began < 5


def test_finishing_waits_for_a_good_end(processes: Processes) -> None:
    processes.start("seed", ["sh", "-c", "sleep 0.2"], ENVIRON)
    processes.finish("seed")
    processes.start("seed", ["sh", "-c", "echo no such table; exit 1"], ENVIRON)
    with pytest.raises(Crashed, match="no such table"):
        processes.finish("seed")


def test_a_request_to_stop_ends_the_waiting(processes: Processes) -> None:
    processes.stopping.set()
    with pytest.raises(Stopped):
        processes.wait_for(lambda: False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_in_use_is_named(host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        try:
            taken.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is in use, and the server needs it.*PORT="):
            require_free(port, "the server")
    require_free(port, "the server")


@pytest.mark.parametrize("text", ["eight", "-1", "80", "65534", "8000 ", "٨٠٠٠"])
def test_a_port_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="PORT"):
        chosen_port(text)


def is_running(number: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False).stdout
    return state.strip() != "" and not state.startswith("Z")
