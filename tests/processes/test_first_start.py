"""F-11: many processes that meet an empty store at the same instant make everything once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .swarm import ROOT

STARTS = 50
MIGRATORS = 6

# One process per start, forked after the imports and let go by the closing of one pipe once each has arrived.
_PROGRAM = """
import json, os, pathlib, sys
from oidc_server import create_app, settings

job = json.loads(sys.argv[1])
if job["root"]:
    settings.ROOT = pathlib.Path(job["root"])
gate, opened = os.pipe()
ready, arrived = os.pipe()
results, report = os.pipe()
children = []
for number in range(job["processes"]):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(opened)
    os.write(arrived, b".")
    os.read(gate, 1)
    try:
        app = create_app(**job["settings"])
        server = app.extensions["oidc_server"]
        result = {"kids": sorted(key["kid"] for key in server.keyring.public()["keys"]),
                  "secret": server.settings.derive_key("a purpose").hex()}
        if job["migrate"]:
            ran = app.test_cli_runner().invoke(args=["db", "upgrade"])
            result |= {"exit_code": ran.exit_code, "output": ran.output[-300:] + repr(ran.exception)}
    except BaseException as error:
        result = {"fault": repr(error)}
    os.write(report, json.dumps(result).encode() + b"\\n")
    os._exit(0)
waiting = job["processes"]
while waiting:
    waiting -= len(os.read(ready, waiting))
os.close(opened)
os.close(report)
print(os.fdopen(results).read())
for child in children:
    os.waitpid(child, 0)
"""


def start_at_once(processes: int, settings: dict[str, Any], *, root: Path | None = None, migrate: bool = False) -> Any:
    job = {"processes": processes, "settings": settings, "root": str(root) if root else "", "migrate": migrate}
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(job)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    results = [json.loads(line) for line in ran.stdout.splitlines() if line]
    assert len(results) == processes, ran.stderr
    assert not [result["fault"] for result in results if "fault" in result]
    return results


@pytest.mark.row("KY-06")
def test_fifty_first_starts_at_once_make_one_key_set_and_one_secret(tmp_path: Path) -> None:
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    results = start_at_once(STARTS, {"environment": "development"}, root=tmp_path)
    print(f"F-11: {STARTS} first starts: 1 key set of {len(results[0]['kids'])} keys, 1 secret")
    assert {tuple(result["kids"]) for result in results} == {tuple(results[0]["kids"])}
    assert len(results[0]["kids"]) == 2, "one that signs and one that waits"
    assert len({result["secret"] for result in results}) == 1
    assert sorted(path.name for path in (tmp_path / "keys").glob("*.pem")) == [f"{k}.pem" for k in results[0]["kids"]]
    assert [path.name for path in (tmp_path / "instance").glob("secret_key*")] == ["secret_key"]


@pytest.mark.row("FT-17")
def test_several_processes_that_migrate_one_empty_database_at_once_all_succeed(
    tmp_path: Path, database_url: str
) -> None:
    settings = {
        "environment": "testing",
        "secret_key": "0123456789abcdef" * 3,
        "keys_dir": str(tmp_path / "keys"),
        "database_url": database_url,
    }
    results = start_at_once(MIGRATORS, settings, migrate=True)
    assert [result["exit_code"] for result in results] == [0] * MIGRATORS, results
