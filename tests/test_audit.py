"""One fact is one line that nobody else can write, and no secret is in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask import Flask, g

from oidc_server import audit

from . import ground
from .flows import Clock

NASTY = '\r\n{"event":"sign_in.ok"}\x1b[31m"\\\u202e\u2028\u0085\x00\ud800é'


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The ground, logging as it does in production, into a folder of its own."""
    app = ground.make_ground()
    app.instance_path = str(tmp_path / "instance")
    audit.configure(app)
    yield app
    app.testing = True
    audit.configure(app)


def lines_of(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_a_fact_says_when_what_from_where_and_in_which_request(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": "2001:db8::7"}):
        g.request_id = "abc123"
        audit.record(audit.SIGN_IN, account_id="a1", count=3, is_new=True, nothing=None, amr=["pwd"])
    (line,) = lines_of(capsys)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "event": "sign_in.ok",
        "request_id": "abc123",
        "network": "2001:db8::/64",
        "account_id": "a1",
        "count": 3,
        "is_new": True,
        "nothing": None,
        "amr": ["pwd"],
    }


def test_outside_a_request_the_line_is_whole_too(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    audit.record(audit.KEY_ROTATED, kid="k1")
    (line,) = lines_of(capsys)

    assert (line["request_id"], line["network"]) == ("-", "-")


def test_the_time_is_the_one_notion_of_now(app: Flask, capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    audit.record(audit.KEY_ROTATED)
    clock.advance(86400 * 366)
    audit.record(audit.KEY_ROTATED)
    first, second = lines_of(capsys)

    assert int(second["time"][:4]) == int(first["time"][:4]) + 1


@pytest.mark.row("LS-01")
def test_whatever_is_recorded_stays_one_line_of_ascii(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    audit.record(audit.SIGN_IN_FAILED, username=NASTY, detail=[NASTY], other={NASTY: NASTY}, network=NASTY)
    written = capsys.readouterr().err

    assert written.count("\n") == 1
    assert written.isascii()
    assert all(character.isprintable() for character in written.rstrip("\n"))
    line = json.loads(written)
    assert line["event"] == "sign_in.failed"
    assert line["username"] == NASTY


@pytest.mark.row("LS-01")
def test_an_ordinary_message_stays_one_line(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("oidc_server.anything").warning("refused: %s", NASTY)
    written = capsys.readouterr().err

    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert not re.search("[\r\u2028\u0085\x00\u202e\ud800]", written)


@pytest.mark.row("LS-01")
def test_a_traceback_cannot_pass_for_other_lines(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(NASTY)
    except ValueError:
        logging.getLogger("oidc_server.anything").exception("failed")
    first, *others = capsys.readouterr().err.rstrip("\n").split("\n")

    assert " ERROR oidc_server.anything - failed" in first
    assert others
    assert all(line.startswith("  | ") for line in others)


def test_texts_and_lists_are_cut(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    audit.record(audit.SIGN_IN_FAILED, detail="x" * 10_000, many=list(range(1000)))
    (line,) = lines_of(capsys)

    assert len(line["detail"]) == audit.MAX_VALUE_LENGTH
    assert len(line["many"]) == 20


@pytest.mark.row("LS-02")
@pytest.mark.parametrize("name", ["password", "secret", "client_secret", "token", "code", "refresh_token", "cookie"])
def test_a_field_named_like_a_secret_is_withheld(app: Flask, capsys: pytest.CaptureFixture[str], name: str) -> None:
    audit.record(audit.SIGN_IN_FAILED, **{name: "canary"})

    assert "canary" not in capsys.readouterr().err


def test_events_are_distinct_and_named_alike() -> None:
    events = [value for name, value in vars(audit).items() if name.isupper() and isinstance(value, str)]

    assert len(events) == len(set(events)) > 30
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", event) for event in events)


def test_a_command_records_in_a_private_file_and_leaves_the_terminal_alone(app: Flask) -> None:
    app.testing = False
    audit.configure(app)

    @click.command()
    def command() -> None:
        audit.record(audit.ACCOUNT_CREATED, account_id="a1")
        logging.getLogger("oidc_server.anything").warning("this one is for the person")

    result = CliRunner().invoke(command)
    file = Path(app.instance_path) / "audit.log"

    assert "account.created" not in result.output
    assert "this one is for the person" in result.stderr
    assert [json.loads(line)["event"] for line in file.read_text("utf-8").splitlines()] == ["account.created"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_command_without_a_folder_to_write_in_still_leaves_its_line(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app.instance_path = str(tmp_path / "file" / "instance")
    app.testing = False
    audit.configure(app)

    result = CliRunner().invoke(click.command()(lambda: audit.record(audit.ACCOUNT_CREATED)))

    assert result.exit_code == 0
    assert "account.created" in result.stderr


def test_configuring_twice_says_nothing_twice(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    audit.configure(app)
    audit.configure(app)
    audit.record(audit.SIGN_OUT)

    assert len(lines_of(capsys)) == 1


def test_the_level_hides_messages_but_never_a_fact(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    audit.configure(app, "ERROR")
    logging.getLogger("oidc_server.anything").warning("hidden")
    audit.record(audit.SIGN_OUT)

    assert [line["event"] for line in lines_of(capsys)] == ["sign_out"]
