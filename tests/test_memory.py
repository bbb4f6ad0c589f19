"""What a request needs is given back when it is answered: the number of living objects does not grow with the requests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oidc_server.settings import ROOT

pytestmark = pytest.mark.row("FT-23")


def measure(folder: Path, *options: str) -> dict[str, Any]:
    """Four hundred mixed requests, in a process of their own: here the test runner keeps what it is told."""
    command = [sys.executable, "-m", "tests.memory_growth", str(folder), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["requests"] >= 400
    return found


@pytest.mark.thorough
def test_hundreds_of_requests_leave_nothing_behind(folder: Path) -> None:
    found = measure(folder)
    assert found["grown"] < found["requests"] / 2, found


@pytest.mark.thorough
def test_one_object_for_each_request_would_be_noticed(folder: Path) -> None:
    found = measure(folder, "keep")
    assert found["grown"] > found["requests"] / 2, found
