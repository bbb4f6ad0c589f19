"""The example of docs/people.md, as it stands there, against a server that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from oidc_server.accounts import store as accounts

from ..live import ROOT, LiveServer


def test_the_example_of_the_documentation_signs_alice_in(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "people.md").read_text("utf-8").partition("\n## The JSON API\n")[2]
    found = re.search(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found
    with LiveServer(tmp_path) as server:
        with server.app.app_context():
            accounts.create("alice", email="alice@example.test", password="correct horse battery staple")
        program = found[1].replace("http://localhost:8000", server.url)
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert (run.stdout, run.stderr) == ("Hello alice\n", "")
