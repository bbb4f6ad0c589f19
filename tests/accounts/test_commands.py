"""`flask accounts`: what an operator types, and what is answered."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from oidc_server import accounts, settings

from .conftest import PASSWORD


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["accounts", *arguments], input=typed)


def create_zoe(app: Flask, *options: str, password: str = PASSWORD) -> Result:
    named = ("--username", "zoe", "--email", "zoe@example.test")
    return run(app, "create", *named, "--password-stdin", *options, typed=f"{password}\n")


def shown(app: Flask, who: str) -> dict[str, Any]:
    result = run(app, "show", who, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def can_sign_in(app: Flask, login: str, password: str) -> bool:
    with app.app_context():
        try:
            return accounts.authenticate(login, password, network="192.0.2.1", device=None).is_active
        except accounts.WrongCredentials:
            return False


def test_the_password_comes_through_standard_input(app: Flask) -> None:
    result = create_zoe(app)

    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    assert can_sign_in(app, "zoe", PASSWORD)
    assert can_sign_in(app, "zoe@example.test", PASSWORD)


@pytest.mark.parametrize("typed", [f"{PASSWORD}\n", f"{PASSWORD}\r\n", PASSWORD])
def test_only_the_line_end_is_taken_off(app: Flask, typed: str) -> None:
    spaced = "  " + typed
    assert run(app, "create", "--username", "zoe", "--password-stdin", typed=spaced).exit_code == 0

    assert can_sign_in(app, "zoe", "  " + PASSWORD)
    assert not can_sign_in(app, "zoe", PASSWORD)


@pytest.mark.parametrize("typed", ["", "\n", f"{PASSWORD}\nand more\n"])
def test_anything_but_one_line_is_refused(app: Flask, typed: str) -> None:
    result = run(app, "create", "--username", "zoe", "--password-stdin", typed=typed)

    assert result.exit_code == 1
    assert "one line" in result.stderr


def test_what_can_be_said_of_a_person_is_kept(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    file.write_text(json.dumps({"address": {"country": "PT"}, "nickname": "Z"}), "utf-8")
    options = ("--email-verified", "--name", "Zoë Zebra", "--given-name", "Zoë", "--phone-number", "+351210000000")
    result = create_zoe(
        app, *options, "--role", "editor", "--role", "admin", "--group", "staff", "--claims-file", str(file), "--json"
    )
    created = json.loads(result.stdout)

    assert created == shown(app, "zoe") == shown(app, "zoe@example.test") == shown(app, created["sub"])
    assert created["email_verified"] is True
    assert created["roles"] == ["editor", "admin"]
    assert created["groups"] == ["staff"]
    assert created["claims"] == {
        "name": "Zoë Zebra",
        "given_name": "Zoë",
        "phone_number": "+351210000000",
        "nickname": "Z",
        "address": {"country": "PT"},
    }
    assert "password" not in " ".join(created).replace("password_changed_at", "")


def test_a_taken_name_or_address_is_said_plainly(app: Flask) -> None:
    create_zoe(app)
    by_name = create_zoe(app)
    by_address = run(
        app, "create", "--username", "zoe2", "--email", "ZOE@example.test", "--password-stdin", typed=f"{PASSWORD}\n"
    )

    assert by_name.exit_code == by_address.exit_code == 1
    assert "already an account with this user name" in by_name.stderr
    assert "already an account with this e-mail address" in by_address.stderr


@pytest.mark.parametrize("password", ["short", "passwordpassword", "zoe zoe zoe zoe zoe"])
def test_a_weak_password_is_refused_with_a_sentence(app: Flask, password: str) -> None:
    result = create_zoe(app, password=password)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert password not in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "options",
    [
        ["--email", "not an address"],
        ["--picture", "javascript:alert(1)"],
        ["--role", " "],
        ["--birthdate", "yesterday"],
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(app: Flask, options: list[str]) -> None:
    result = run(app, "create", "--username", "zoe", "--password-stdin", *options, typed=f"{PASSWORD}\n")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


def test_without_a_terminal_the_password_is_not_waited_for(app: Flask) -> None:
    result = run(app, "create", "--username", "zoe", typed="")

    assert result.exit_code == 1
    assert "--password-stdin" in result.stderr


def test_a_made_password_is_shown_once_and_works(app: Flask) -> None:
    created = json.loads(run(app, "create", "--username", "zoe", "--generate-password", "--json").stdout)

    assert can_sign_in(app, "zoe", created["password"])
    assert "password" not in shown(app, "zoe")


def test_no_command_takes_a_password_as_an_argument(app: Flask) -> None:
    for command in ("create", "set-password"):
        assert "--password " not in run(app, command, "--help").output


def test_disabling_ends_and_enabling_restores_sign_in(app: Flask) -> None:
    create_zoe(app)
    assert run(app, "disable", "zoe").exit_code == 0
    assert not can_sign_in(app, "zoe", PASSWORD)
    assert shown(app, "zoe")["is_active"] is False
    assert run(app, "enable", "zoe").exit_code == 0

    assert can_sign_in(app, "zoe", PASSWORD)


def test_setting_a_password_replaces_the_old_one(app: Flask) -> None:
    create_zoe(app)
    result = run(app, "set-password", "zoe", "--password-stdin", typed="another good long password\n")

    assert result.exit_code == 0, result.output
    assert can_sign_in(app, "zoe", "another good long password")
    assert not can_sign_in(app, "zoe", PASSWORD)
    assert run(app, "set-password", "zoe", "--password-stdin", typed="short\n").exit_code == 1


@pytest.mark.parametrize("command", ["show", "disable", "enable"])
def test_an_unknown_account_is_said_plainly(app: Flask, command: str) -> None:
    result = run(app, command, "nobody")

    assert result.exit_code == 1
    assert "no such account" in result.stderr


def test_the_list_goes_on_where_it_ended(app: Flask) -> None:
    first = json.loads(run(app, "list", "--limit", "1", "--json").stdout)
    rest = json.loads(run(app, "list", "--after", first[0]["username"], "--json").stdout)

    assert [account["username"] for account in first + rest] == ["alice", "bob"]
    assert "--after alice" in run(app, "list", "--limit", "1").stdout


@pytest.mark.parametrize("confirmation", [PASSWORD, "something else entirely"])
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(folder: Path, confirmation: str) -> None:
    controller, terminal = pty.openpty()
    environment = os.environ | {
        "OIDC_ENVIRONMENT": "testing",
        "OIDC_DATABASE_URL": f"sqlite:///{folder}/oidc.sqlite3",
        "OIDC_KEYS_DIR": str(folder / "keys"),
        "OIDC_SECRET_KEY": "testing-" + "0123456789abcdef" * 3,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "accounts", "create", "--username", "zoe", "--json"],
        cwd=settings.ROOT,
        env=environment,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    heard = b""
    for answer in (PASSWORD, confirmation):
        while not heard.endswith(b": "):
            heard += os.read(controller, 1)
        heard += b"|"
        os.write(controller, answer.encode() + b"\n")
    if confirmation != PASSWORD:
        while b"do not match" not in heard:
            heard += os.read(controller, 1)
        process.terminate()
    output, _ = process.communicate(timeout=20)
    os.close(controller)

    assert PASSWORD.encode() not in heard
    assert heard.count(b"|") == 2
    if confirmation == PASSWORD:
        assert json.loads(output)["username"] == "zoe"
