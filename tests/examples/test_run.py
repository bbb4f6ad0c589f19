"""`make run` and `make serve` as a stranger meets them: in a copy of the tree, with its own database and keys."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from examples.run import CannotStart, require_free

ROOT = Path(__file__).resolve().parents[2]
RUN, SERVE = "examples.run", "oidc_server.serve"


class Command:
    """A command of the Makefile in a copy of the tree, in a process group of its own, as a terminal would have it."""

    def __init__(self, tree: Path, module: str, **environ: str) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("OIDC_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=tree,
            env=own | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + 60
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.02)

    def end(self, number: int = signal.SIGINT) -> int:
        """What Ctrl-C does: the signal reaches the whole group. Returns the status."""
        os.killpg(self.process.pid, number)
        return self.status()

    def status(self) -> int:
        status = self.process.wait(30)
        self._reader.join(10)  # ends when nobody holds the pipe any more, neither child nor grandchild
        assert not self._reader.is_alive()
        return status


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("stranger")
    for name in ("oidc_server", "templates", "examples", "config"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wsgi.py", copy)
    return copy


@pytest.fixture
def port() -> int:
    return free_ports()


def free_ports() -> int:
    """The first of three ports that nobody has."""
    while True:
        found = random.randrange(20_000, 50_000)
        try:
            for each in range(found, found + 3):
                require_free(each, "this test")
        except CannotStart:
            continue
        return found


@dataclass(frozen=True)
class Running:
    command: Command
    port: int


@pytest.fixture(scope="module")
def running(tree: Path) -> Iterator[Running]:
    """`make run`, until a test ends it."""
    port = free_ports()
    command = Command(tree, RUN, PORT=str(port))
    try:
        command.wait_for("Ctrl-C stops everything")
        yield Running(command, port)
    finally:
        if command.process.poll() is None:
            command.end()


def test_the_curl_it_prints_gets_a_token_that_the_api_accepts(running: Running) -> None:
    port = running.port
    curl = re.search(r"^ *(curl .*?)$(?<!\\)", running.command.said, re.MULTILINE | re.DOTALL)
    assert curl
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    answer = subprocess.run(["sh", "-c", curl[1]], capture_output=True, text=True, check=True).stdout
    headers = {"Authorization": f"Bearer {json.loads(answer)['access_token']}"}
    assert requests.get(f"http://localhost:{port + 2}/photos", headers=headers, timeout=5).status_code == 200
    assert requests.post(f"http://localhost:{port + 2}/photos", headers=headers, timeout=5).status_code == 403


def test_the_issuer_and_the_app_follow_the_port(running: Running) -> None:
    port = running.port
    metadata = requests.get(f"http://localhost:{port}/.well-known/openid-configuration", timeout=5).json()
    assert metadata["issuer"] == f"http://localhost:{port}"
    asked = requests.get(f"http://localhost:{port + 1}/sign-in", timeout=5)
    assert asked.status_code == 200, asked.text  # the sign-in page: redirect URI and resource are known there
    assert asked.url.startswith(f"http://localhost:{port}/login?")


def test_ctrl_c_leaves_nothing_behind(running: Running, tree: Path) -> None:
    assert running.command.end() == 0
    for each in range(running.port, running.port + 3):
        require_free(each, "this test")
    assert (tree / "instance" / "development.json").stat().st_mode & 0o777 == 0o600


def test_a_second_start_does_nothing_twice(tree: Path, port: int) -> None:
    state = tree / "instance" / "development.json"
    made = []
    for _ in range(2):
        command = Command(tree, RUN, PORT=str(port))
        command.wait_for("Ctrl-C stops everything")
        command.end(signal.SIGTERM)
        made.append(state.stat().st_mtime_ns)
    assert made[0] == made[1]


@pytest.mark.thorough
def test_what_was_lost_is_made_again(tree: Path, port: int) -> None:
    state = tree / "instance" / "development.json"
    before = json.loads(state.read_text())
    for loss in (state, tree / "instance" / "oidc.sqlite3"):
        loss.unlink()
        command = Command(tree, RUN, PORT=str(port))
        command.wait_for("Ctrl-C stops everything")
        after = json.loads(state.read_text())
        client_id, secret = after["clients"]["curl"]
        answer = requests.post(
            f"http://localhost:{port}/token",
            data={"grant_type": "client_credentials", "resource": f"http://localhost:{port + 2}/"},
            auth=(client_id, secret),
            timeout=5,
        )
        command.end()
        assert answer.status_code == 200, answer.text
        assert secret != before["clients"]["curl"][1]


def test_production_gets_no_demo_data(tree: Path, port: int) -> None:
    command = Command(tree, RUN, PORT=str(port), OIDC_ENVIRONMENT="testing")
    assert command.status() == 1
    assert "development only" in command.said
    assert "Traceback" not in command.said


def test_serve_listens_where_it_is_told(tree: Path, port: int) -> None:
    command = Command(tree, SERVE, PORT=str(port), OIDC_LOG_LEVEL="INFO")
    command.wait_for("Started worker-1")
    answer = requests.get(f"http://localhost:{port}/.well-known/openid-configuration", timeout=10)
    assert answer.json()["issuer"] == f"http://localhost:{port}"
    assert requests.get(f"http://localhost:{port}/healthz", timeout=5).status_code == 200
    assert command.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"OIDC_ISUER": "https://id.example.test"}, "OIDC_ISUER"),
        ({"OIDC_ENVIRONMENT": "production"}, "OIDC_"),
        ({"PORT": "http"}, "PORT"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
@pytest.mark.parametrize("module", [RUN, SERVE])
def test_a_setting_that_cannot_be_is_named_without_a_traceback(
    tree: Path, module: str, environ: dict[str, str], named: str, port: int
) -> None:
    command = Command(tree, module, **{"PORT": str(port)} | environ)
    assert command.status() == 1
    assert named in command.said
    assert "Traceback" not in command.said
