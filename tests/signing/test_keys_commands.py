"""`flask keys list` and `flask keys rotate`, as an operator uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from oidc_server.settings import ROOT


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["keys", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def listed(app: Flask) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(run(app, "list", "--json"))["keys"]
    return keys


def by_state(app: Flask) -> dict[str, list[str]]:
    states: dict[str, list[str]] = {}
    for key in listed(app):
        states.setdefault(key["state"], []).append(key["kid"])
    return states


@pytest.fixture
def app(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app an hour later: the first keys have been published long enough."""
    from oidc_server import database

    real = database.clock
    monkeypatch.setattr(database, "clock", lambda: real() + 3600)
    return app


def test_list_shows_every_key_with_its_state_and_no_private_part(app: Flask) -> None:
    text = run(app, "list")
    for key in listed(app):
        assert f"{key['kid']}  RS256  {key['state']}" in text
    assert "The next switch is at " in text
    assert "PRIVATE" not in text
    assert {key["state"] for key in listed(app)} == {"active", "next"}


def test_rotate_lets_the_next_key_sign_and_publishes_a_new_one(app: Flask) -> None:
    before = by_state(app)
    text = run(app, "rotate")
    after = by_state(app)
    assert after["active"] == before["next"]
    assert after["retired"] == before["active"]
    assert f"{before['next'][0]} signs now (RS256)." in text
    assert f"{after['next'][0]} is published and next." in text


def test_a_second_rotation_after_the_first_is_another_one_and_waits_for_its_lead(app: Flask) -> None:
    run(app, "rotate")
    waiting = by_state(app)["next"]
    summary = json.loads(run(app, "rotate", "--json"))
    assert summary["rotated"] is True
    assert len(summary["new_kids"]) == 1
    planned = next(key for key in listed(app) if key["kid"] == waiting[0])
    assert planned["state"] == "next"
    assert planned["active_from"] > planned["created_at"]


@pytest.mark.row("KY-02")
def test_emergency_says_which_key_is_refused(app: Flask) -> None:
    stolen = by_state(app)["active"][0]
    text = run(app, "rotate", "--emergency")
    assert f"{stolen} is refused from now on, and every token it signed." in text
    assert stolen in by_state(app)["gone"]
    assert "refused in an emergency" in run(app, "list")


@pytest.mark.row("KY-02")
def test_all_refuses_every_key(app: Flask) -> None:
    before = {key["kid"] for key in listed(app)}
    summary = json.loads(run(app, "rotate", "--all", "--json"))
    assert set(summary["refused_kids"]) == before
    assert len(summary["new_kids"]) == 2


def flask(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "OIDC_ENVIRONMENT": "testing",
        "OIDC_KEYS_DIR": str(folder / "keys"),
        "OIDC_DATABASE_URL": f"sqlite:///{folder}/oidc.sqlite3",
        "OIDC_SECRET_KEY": "testing-" + "0123456789abcdef" * 3,
    }
    command = [str(Path(sys.executable).parent / "flask"), *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.row("KY-07")
def test_three_commands_entered_at_once_rotate_once(folder: Path) -> None:
    processes = [flask(folder, "keys", "rotate", "--json") for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sorted(json.loads(output)["rotated"] for output, _ in outputs) == [False, False, True]


@pytest.mark.row("KY-03", "KY-05")
def test_a_command_on_unusable_keys_fails_with_the_sentence(folder: Path) -> None:
    ring = folder / "keys" / "keyring.json"
    ring.chmod(0o644)
    process = flask(folder, "keys", "list")
    output, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"run: chmod 600 {ring}" in output + errors
