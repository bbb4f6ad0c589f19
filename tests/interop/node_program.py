"""Programs of the folder node/, called line by line: JSON in, JSON out."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


class CallFailed(Exception):
    """The client in the program refused; `code` is its own word for why, `cause` what it had before it."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['name']} {error['code']}: {error['message']}")
        self.code: str | None = error["code"]
        self.message: str = error["message"]
        #: What the server said, where the client passes it on (RFC 6749 §5.2).
        self.error: str | None = error["error"]


class NodeProgram:
    """A running program; every call names a function of it and waits for its answer.

    Skips the test without Node.js, and when its packages are not installed.
    """

    def __init__(self, path: Path, seconds: float = 20) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is missing; install Node.js 20 or newer")
        if not (path.parent / "node_modules").is_dir():
            pytest.skip("node_modules is missing; run `npm ci` in tests/interop/node")
        self._seconds = seconds
        self._process = subprocess.Popen(
            [node, path.name], cwd=path.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, function: str, **arguments: Any) -> Any:
        """Answer what the function returned. Raises CallFailed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"call": function, "with": arguments}) + "\n")
        self._process.stdin.flush()
        readable, _, _ = select.select([self._process.stdout], [], [], self._seconds)
        assert readable, f"{function} does not come to an end"
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise CallFailed(answer["refused"])
        return answer["returned"]

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
