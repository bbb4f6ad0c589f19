"""`flask clients …`, as an operator types it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from oidc_server import audit
from oidc_server.clients.secret import hash_of

from ..flows import Clock
from .asking import ask, assert_unknown, basic
from .conftest import RSA, WEB, jwks_of


def run(app: Flask, *args: str, stdin: str | None = None, fails: bool = False) -> Result:
    result = app.test_cli_runner().invoke(args=["clients", *args], input=stdin)
    assert (result.exit_code != 0) == fails, result.output
    assert fails or result.exception is None
    return result


def answer_of(app: Flask, *args: str, stdin: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(app, *args, "--json", stdin=stdin).stdout)
    return found


def test_metadata_in_registration_answer_out(app: Flask) -> None:
    answer = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB | {"unknown": 1, "contacts": None}))
    assert answer == {
        "client_id": answer["client_id"],
        "client_id_issued_at": answer["client_id_issued_at"],
        "client_secret": answer["client_secret"],
        "client_secret_expires_at": 0,
        "client_name": "Photo Harbour",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": ["https://photos.example/cb"],
        "scope": "openid profile email",
        "id_token_signed_response_alg": "RS256",
        "require_auth_time": False,
    }
    headers = basic(answer["client_id"], answer["client_secret"])
    assert ask(app, "/revoke", {}, headers).status_code == 200


def test_single_options_make_the_same_client_and_win_over_the_document(app: Flask, tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(jwks_of(RSA)))
    document = tmp_path / "client.json"
    document.write_text(json.dumps(WEB | {"scope": "openid"}))
    answer = answer_of(
        app,
        "create",
        *("--client-id", "harbour", "--metadata", str(document), "--name", "Harbour", "--scope", "openid photos:read"),
        *("--redirect-uri", "https://harbour.example/cb", "--redirect-uri", "http://127.0.0.1/cb"),
        *("--post-logout-redirect-uri", "https://harbour.example/bye", "--grant-type", "authorization_code"),
        *("--grant-type", "refresh_token", "--auth-method", "private_key_jwt", "--auth-signing-alg", "PS256"),
        *("--jwks", str(keys), "--default-resource", "https://api.photos.example/", "--no-require-pkce", "--trusted"),
        *("--client-uri", "https://harbour.example/", "--logo-uri", "https://harbour.example/logo.svg"),
        *("--policy-uri", "https://harbour.example/privacy", "--tos-uri", "https://harbour.example/terms"),
        *("--contact", "dev@harbour.example", "--id-token-alg", "RS256"),
    )
    assert answer["client_id"] == "harbour"
    assert "client_secret" not in answer
    assert answer["client_name"] == "Harbour"
    assert answer["redirect_uris"] == ["https://harbour.example/cb", "http://127.0.0.1/cb"]
    assert answer["jwks"]["keys"][0]["kid"] == "rsa"
    assert answer["require_pkce"] is False
    assert answer["scope"] == "openid photos:read"
    shown = answer_of(app, "show", "harbour")
    assert shown["is_trusted"] is True
    assert shown.items() >= {k: v for k, v in answer.items() if k != "client_id_issued_at"}.items()


@pytest.mark.row("CA-15")
def test_the_secret_is_shown_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    facts: list[Any] = []
    monkeypatch.setattr(audit, "record", lambda event, **fields: facts.append((event, fields)))
    output = run(app, "create", "--name", "Photo Harbour", "--redirect-uri", "https://photos.example/cb").output
    client_id, secret = (re.search(rf"{name}\s+(\S+)", output)[1] for name in ("client_id", "client_secret"))  # type: ignore[index]
    assert len(secret) == 43
    for args in (["show", client_id], ["show", client_id, "--json"], ["list"], ["list", "--json"]):
        later = run(app, *args).output
        assert client_id in later
        assert secret not in later and hash_of(secret) not in later
    assert secret not in run(app, "update", client_id, "--name", "Harbour").output
    assert [event for event, _ in facts] == [audit.CLIENT_CREATED, audit.CLIENT_UPDATED]
    assert secret not in repr(facts)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["create", "--redirect-uri", "http://photos.example/cb"], "invalid_redirect_uri: redirect_uris: "),
        (["create"], "invalid_redirect_uri: "),
        (["create", "--auth-method", "magic", "--redirect-uri", "https://a.example/"], "invalid_client_metadata: "),
        (["create", "--client-id", "web", "--redirect-uri", "https://a.example/"], "already"),
        (["update", "web", "--redirect-uri", "https://*.example/"], "invalid_redirect_uri: "),
        (["update", "web", "--grant-type", "implicit"], "invalid_client_metadata: "),
        (["update", "nobody"], "no client"),
        (["show", "nobody"], "no client"),
        (["rotate-secret", "nobody"], "no client"),
        (["rotate-secret", "spa"], "without a secret"),
        (["rotate-secret", "web", "--old-expires-in", "soon"], "12h or 7d"),
        (["delete", "nobody", "--yes"], "no client"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(app: Flask, args: list[str], sentence: str) -> None:
    result = run(app, *args, fails=True)
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.row("HT-18")
@pytest.mark.parametrize(
    "document", ["", "[]", "{", '{"a":1,"a":2}', "[" * 100_000, '{"a":' + "9" * 1000 + "}", "x" * 70_000, "\ud800"]
)
def test_a_document_that_is_no_json_object_is_answered_with_a_sentence(app: Flask, document: str) -> None:
    raw = document.encode("utf-8", "surrogatepass")
    result = app.test_cli_runner().invoke(args=["clients", "create", "--metadata", "-"], input=raw)
    assert result.exit_code == 1
    assert "--metadata is " in result.output


def test_secrets_are_no_arguments(app: Flask) -> None:
    for command in ("create", "update", "rotate-secret"):
        assert "secret " not in re.findall(r"^\s+(--\S+)", run(app, command, "--help").output, re.MULTILINE)
    run(app, "create", "--client-secret", "x", fails=True)


def test_an_update_changes_what_it_names(app: Flask) -> None:
    client_id = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB))["client_id"]
    answer = answer_of(app, "update", client_id, "--scope", "openid", "--trusted")
    assert answer["scope"] == "openid"
    assert answer["redirect_uris"] == WEB["redirect_uris"]
    assert answer_of(app, "show", client_id)["is_trusted"] is True
    answer_of(app, "update", client_id, "--name", "Other")
    assert answer_of(app, "show", client_id)["is_trusted"] is True
    answer_of(app, "update", client_id, "--not-trusted", "--metadata", "-", stdin='{"scope": null}')
    shown = answer_of(app, "show", client_id)
    assert shown["is_trusted"] is False and shown["scope"] == "openid profile email"
    renewed = answer_of(app, "update", client_id, "--auth-method", "client_secret_post")
    assert len(renewed["client_secret"]) == 43


@pytest.mark.row("DR-04")
def test_trust_does_not_come_in_a_document(app: Flask) -> None:
    client_id = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB | {"is_trusted": True}))["client_id"]
    assert answer_of(app, "show", client_id)["is_trusted"] is False


def test_a_client_is_switched_off_and_on(app: Flask) -> None:
    made = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB))
    headers = basic(made["client_id"], made["client_secret"])
    run(app, "update", made["client_id"], "--disable")
    assert_unknown(ask(app, "/revoke", {}, headers), with_header=True)
    assert "disabled" in run(app, "list").output
    run(app, "update", made["client_id"], "--enable")
    assert ask(app, "/revoke", {}, headers).status_code == 200


@pytest.mark.row("CA-20")
def test_a_secret_is_exchanged_without_a_gap(app: Flask, clock: Clock) -> None:
    made = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB))
    client_id = made["client_id"]
    new = answer_of(app, "rotate-secret", client_id, "--old-expires-in", "12h")
    assert new["client_secret"] != made["client_secret"]

    def works(answer: dict[str, Any]) -> bool:
        return ask(app, "/revoke", {}, basic(client_id, answer["client_secret"])).status_code == 200

    assert works(made) and works(new)
    assert len(answer_of(app, "show", client_id)["secrets"]) == 2
    clock.advance(12 * 3600 + 1)
    assert not works(made) and works(new)
    newest = answer_of(app, "rotate-secret", client_id, "--now")
    assert not works(new) and works(newest)


def test_rotating_says_when_the_old_secret_ends(app: Flask) -> None:
    client_id = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB))["client_id"]
    assert re.search(r"ends on \d{4}-\d\d-\d\d \d\d:\d\d UTC", run(app, "rotate-secret", client_id).output)
    assert "has ended" in run(app, "rotate-secret", client_id, "--now").output


def test_deleting_asks_once(app: Flask) -> None:
    client_id = answer_of(app, "create", "--metadata", "-", stdin=json.dumps(WEB))["client_id"]
    run(app, "delete", client_id, stdin="n\n", fails=True)
    assert client_id in run(app, "list").output
    assert "cannot be undone" in run(app, "delete", client_id, stdin="y\n").output
    assert client_id not in run(app, "list").output


def test_a_list_says_what_is_special(app: Flask) -> None:
    lines = run(app, "list").output.splitlines()
    assert any(line.startswith("spa ") and line.endswith("public") for line in lines)
    assert [row["client_id"] for row in json.loads(run(app, "list", "--json").stdout)] == [
        line.split()[0] for line in lines
    ]
