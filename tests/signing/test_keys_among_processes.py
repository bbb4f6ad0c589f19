"""Real processes that start, rotate and keep up at the same instant on one folder (F-11)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oidc_server.settings import ROOT
from oidc_server.signing import Keyring

# Imports first, then one process per line of work, all let go by the closing of one pipe once each has arrived.
_PROGRAM = """
import json, os, sys, time
from oidc_server import database
from oidc_server.settings import Settings
from oidc_server.signing.keyring import Keyring
from oidc_server.signing.stores.files import FileStore

folder, works = sys.argv[1], json.loads(sys.argv[2])
settings = Settings(environment="testing", secret_key="0123456789abcdef" * 4, keys_dir=folder)
gate, opened = os.pipe()
ready, arrived = os.pipe()
results, report = os.pipe()
children = []
for number, work in enumerate(works):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(opened)
    keyring = Keyring(settings, FileStore(settings.keys_path))
    if work["do"] != "start":
        keyring.start()
    asked_at = database.now()
    database.clock = lambda: time.time() + work.get("ahead", 0)
    os.write(arrived, b".")
    os.read(gate, 1)
    time.sleep(work.get("late", 0))
    done = False
    if work["do"] == "start":
        keyring.start()
    elif work["do"] == "upkeep":
        keyring.upkeep()
    else:
        done = keyring.rotate(work["do"], asked_at=asked_at if work.get("command") else None).done
    kids = [key["kid"] for key in keyring.public()["keys"]]
    os.write(report, json.dumps({"done": done, "kids": sorted(kids), "signed": keyring.sign({}, typ="JWT")}).encode() + b"\\n")
    os._exit(0)
waiting = len(works)
while waiting:
    waiting -= len(os.read(ready, waiting))
os.close(opened)
os.close(report)
print(os.fdopen(results).read())
for child in children:
    os.waitpid(child, 0)
"""


def run_at_once(folder: Path, works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder), json.dumps(works)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    results = [json.loads(line) for line in ran.stdout.splitlines() if line]
    assert len(results) == len(works), ran.stderr
    return results


def stored(folder: Path) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads((folder / "keyring.json").read_text())["keys"]
    return keys


@pytest.mark.row("KY-06")
def test_fifty_simultaneous_first_starts_make_one_key_set(keys_folder: Path) -> None:
    results = run_at_once(keys_folder, [{"do": "start"}] * 50)
    assert len({tuple(result["kids"]) for result in results}) == 1
    assert len({result["signed"] for result in results}) == 1
    assert len(stored(keys_folder)) == len(list(keys_folder.glob("*.pem"))) == 2


@pytest.mark.row("KY-07")
def test_ten_simultaneous_rotations_make_one_new_key(make_keyring: Callable[..., Keyring], keys_folder: Path) -> None:
    before = {key["kid"] for key in make_keyring().public()["keys"]}
    results = run_at_once(keys_folder, [{"do": "planned", "command": True}] * 10)
    assert [result["done"] for result in results].count(True) == 1
    assert len({key["kid"] for key in stored(keys_folder)} - before) == 1
    assert len({tuple(result["kids"]) for result in results}) == 1


@pytest.mark.row("KY-07")
def test_commands_entered_at_once_make_one_new_key_however_slowly_some_start(
    make_keyring: Callable[..., Keyring], keys_folder: Path
) -> None:
    before = {key["kid"] for key in make_keyring().public()["keys"]}
    works = [{"do": "planned", "command": True, "late": 0.2 * number} for number in range(6)]
    results = run_at_once(keys_folder, works)
    assert [result["done"] for result in results].count(True) == 1
    assert len({key["kid"] for key in stored(keys_folder)} - before) == 1


@pytest.mark.row("KY-07")
def test_ten_simultaneous_emergencies_refuse_one_key_and_make_one(
    make_keyring: Callable[..., Keyring], keys_folder: Path
) -> None:
    make_keyring()
    results = run_at_once(keys_folder, [{"do": "emergency", "command": True}] * 10)
    assert [result["done"] for result in results].count(True) == 1
    keys = stored(keys_folder)
    assert len(keys) == 3
    assert [key["emergency"] for key in keys].count(True) == 1
    assert len({result["signed"] for result in results}) == 1


@pytest.mark.row("KY-02", "KY-07")
def test_an_emergency_among_planned_rotations_always_happens(
    make_keyring: Callable[..., Keyring], keys_folder: Path
) -> None:
    (stolen,) = {key["kid"] for key in active(make_keyring())}
    run_at_once(keys_folder, [{"do": "planned"}] * 5 + [{"do": "emergency"}] + [{"do": "planned"}] * 5)
    assert [key["emergency"] for key in stored(keys_folder) if key["kid"] == stolen] == [True]


@pytest.mark.row("KY-07")
def test_the_timers_of_ten_processes_make_one_new_key(make_keyring: Callable[..., Keyring], keys_folder: Path) -> None:
    before = {key["kid"] for key in make_keyring().public()["keys"]}
    results = run_at_once(keys_folder, [{"do": "upkeep", "ahead": 31 * 86400}] * 10)
    assert len({key["kid"] for key in stored(keys_folder)} - before) == 1
    assert len({tuple(result["kids"]) for result in results}) == 1


def test_a_process_killed_while_it_held_the_lock_blocks_nobody(
    make_keyring: Callable[..., Keyring], keys_folder: Path
) -> None:
    keyring = make_keyring()
    holder = (
        "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, 2); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(keys_folder / ".lock")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.wait()
    assert keyring.rotate().done


def active(keyring: Keyring) -> list[dict[str, str]]:
    return keyring.public()["keys"][:1]
