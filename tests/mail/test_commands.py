"""`flask mail test` says what the mail server answers; `flask mail list` what became of each mail."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from oidc_server.mail import delivery, store

from .conftest import CODE, LINK, send_reset
from .smtp_server import MailServer


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["mail", *arguments])


def test_the_test_mail_goes_out_at_once_and_past_the_outbox(mailer: Flask, mail_server: MailServer) -> None:
    result = run(mailer, "test", "operator@example.test", "--language", "de")
    assert (result.exit_code, result.output) == (
        0,
        f"Connected to smtp://127.0.0.1:{mail_server.port}.\n"
        "It took the mail from no-reply@id.example.test to operator@example.test.\n",
    )
    (taken,) = mail_server.taken
    assert taken.recipients == ["operator@example.test"]
    assert taken.message["Content-Language"] == "de"
    assert store.newest(10) == []


def test_the_answer_of_the_mail_server_is_told(mailer: Flask, mail_server: MailServer) -> None:
    mail_server.answers["operator@example.test"] = "550 5.7.1 relaying denied"
    result = run(mailer, "test", "operator@example.test")
    assert result.exit_code == 1
    assert "Error: The mail server refused the recipient (550 5.7.1)." in result.output


def test_a_mail_server_that_is_away_is_told(mailer: Flask, mail_server: MailServer) -> None:
    mail_server.stop()
    result = run(mailer, "test", "operator@example.test")
    assert (result.exit_code, result.output) == (
        1,
        "Error: The mail server cannot be reached (ConnectionRefusedError).\n",
    )


def test_without_a_mail_server_there_is_nothing_to_test(app: Flask) -> None:
    result = run(app, "test", "operator@example.test")
    assert result.exit_code == 1
    assert "OIDC_SMTP_URL is not set" in result.output


@pytest.mark.row("RC-12")
def test_what_is_no_address_is_told(mailer: Flask, mail_server: MailServer) -> None:
    result = run(mailer, "test", "operator@example.test\nBcc: all@example.test")
    assert result.exit_code == 1
    assert "The part before the @ is not one that mail servers take." in result.output
    assert mail_server.connections == 0


def test_the_list_says_what_became_of_each_mail(
    make_app: Callable[..., Flask], mailer: Flask, mail_server: MailServer
) -> None:
    mail_server.answers |= {"gone@example.test": "550 gone", "full@example.test": "452 full"}
    for name in ("alice", "gone", "full"):
        send_reset(f"{name}@example.test")
        delivery.deliver_due()
    send_reset("bob@example.test")
    listed = run(mailer, "list").output
    lines = {line.split()[3]: line for line in listed.splitlines()}
    assert "delivered" in lines["alice@example.test"]
    assert "failed" in lines["gone@example.test"]
    assert lines["gone@example.test"].endswith("The mail server refused the recipient (550).")
    assert "waiting" in lines["full@example.test"]
    assert lines["full@example.test"].endswith("The mail server refused the recipient (452).")
    assert "waiting" in lines["bob@example.test"]
    states = {state: run(mailer, "list", "--state", state).output for state in ("waiting", "delivered", "failed")}
    assert [output.count("@") for output in states.values()] == [2, 1, 1]
    assert run(mailer, "list", "--limit", "1").output.count("@") == 1


@pytest.mark.row("LS-01")
def test_no_list_shows_what_a_mail_says(mailer: Flask) -> None:
    send_reset()
    for arguments in (["list"], ["list", "--json"]):
        output = run(mailer, *arguments).output
        assert "alice@example.test" in output
        assert not [secret for secret in (LINK, CODE, "1234 5678", "sealed") if secret in output]


def test_the_list_as_json_is_for_programs(mailer: Flask) -> None:
    send_reset(account_id="a1")
    (found,) = json.loads(run(mailer, "list", "--json").output)
    assert (found["kind"], found["account_id"], found["state"]) == ("reset_password", "a1", "waiting")
    assert found["ended_at"] is None


def test_an_empty_outbox_is_told(mailer: Flask) -> None:
    assert run(mailer, "list").output == "No mails.\n"
    assert json.loads(run(mailer, "list", "--json").output) == []
