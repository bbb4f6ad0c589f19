"""What is no request of this API is refused before anything is done, and says why in problem details."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server.database import db

from .. import flows, mailbox
from .conftest import Program, fields_of, kind_of

ALICE, PASSWORD = "alice@example.test", "correct horse battery staple"
GOOD = json.dumps({"login": "alice", "password": PASSWORD}).encode()
NAMES = ["register", "login", "logout", "verify", "recover", "reset", "password"]


@pytest.mark.row("WB-09", "SE-01")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.id.example.test"},
        {"Origin": "http://id.example.test"},
        {"Origin": "null"},
        {"Origin": "https://id.example.test", "Sec_Fetch_Site": "cross-site"},
    ],
)
def test_what_another_site_sends_is_refused(program: Program, headers: dict[str, str]) -> None:
    response = program.send("login", GOOD, **headers)

    assert response.status_code == 403
    assert kind_of(response) == "foreign-sender"
    assert "Set-Cookie" not in response.headers
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.row("WB-09")
@pytest.mark.parametrize("name", NAMES)
def test_no_address_takes_anything_from_another_site(program: Program, name: str) -> None:
    assert kind_of(program.send(name, Sec_Fetch_Site="cross-site")) == "foreign-sender"


@pytest.mark.row("WB-09")
def test_a_page_of_ours_and_a_program_may_ask(app: Flask) -> None:
    for headers in ({}, {"Origin": "https://id.example.test", "Sec_Fetch_Site": "same-origin"}):
        assert Program(app).send("login", GOOD, **headers).status_code == 200


@pytest.mark.row("WB-09", "WB-05")
@pytest.mark.parametrize("name", NAMES)
def test_a_browser_that_asks_whether_it_may_send_json_gets_no_answer(program: Program, name: str) -> None:
    response = program.send(name, b"", "OPTIONS", Origin="https://evil.example", Access_Control_Request_Method="POST")
    assert response.status_code == 405
    assert not [header for header, _ in response.headers if header.startswith("Access-Control")]


@pytest.mark.row("WB-09")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/problem+json",
        "",
    ],
)
def test_a_body_that_a_form_could_send_is_no_request(program: Program, content_type: str) -> None:
    response = program.send("login", GOOD, Content_Type=content_type)
    assert response.status_code == 415
    assert kind_of(response) == "unsupported-media-type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
def test_the_charset_may_be_named(program: Program, content_type: str) -> None:
    assert program.send("login", GOOD, Content_Type=content_type).status_code == 200


def test_a_compressed_body_is_refused(program: Program) -> None:
    assert program.send("login", GOOD, Content_Encoding="gzip").status_code == 415


@pytest.mark.row("HT-01")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"alice"',
        b"{",
        b"{} {}",
        b'{"login": "alice", "login": "bob", "password": "x"}',
        b'{"login": NaN}',
        b'{"login": "\\ud800"}',
        b'{"login": "\xff"}',
        b'\xef\xbb\xbf{"login": "alice"}',
        b"[" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"login": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_not_one_strict_json_object_is_refused(program: Program, body: bytes) -> None:
    response = program.send("login", body)
    assert response.status_code == 400
    assert kind_of(response) == "malformed-request"


@pytest.mark.row("HT-01")
def test_parameters_in_the_address_are_refused(program: Program) -> None:
    assert kind_of(program.send("login", GOOD, query="?login=bob")) == "malformed-request"


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_too_large_is_refused(program: Program, name: str) -> None:
    response = program.send(name, b'{"login": "' + b"x" * 70_000 + b'"}')
    assert response.status_code == 413
    assert kind_of(response) == "too-large"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("name", NAMES)
def test_every_other_method_is_a_405_that_names_post(program: Program, name: str, method: str) -> None:
    response = program.send(name, b"", method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"login": "alice"}, "password"),
        ({"password": PASSWORD}, "login"),
        ({"login": "", "password": PASSWORD}, "login"),
        ({"login": None, "password": PASSWORD}, "login"),
        ({"login": ["alice"], "password": PASSWORD}, "login"),
        ({"login": {"$ne": 1}, "password": PASSWORD}, "login"),
        ({"login": 7, "password": PASSWORD}, "login"),
        ({"login": "alice", "password": True}, "password"),
        ({"login": "a" * 255, "password": PASSWORD}, "login"),
        ({"login": "alice", "password": "x" * 5000}, "password"),
        ({"login": "alice\0", "password": PASSWORD}, "login"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(program: Program, body: dict[str, object], field: str) -> None:
    response = program.post("login", **body)
    assert response.status_code == 422
    assert fields_of(response) == [field]


def test_what_was_sent_is_not_repeated(program: Program) -> None:
    response = program.send("login", b'{"<script>evil": "<b>more</b>", "login": "<i>"}')
    assert response.status_code == 422
    assert "evil" not in response.text and "more" not in response.text


def test_several_fields_are_named_at_once(open_program: Program) -> None:
    response = open_program.post("register", email="no address", password="short", username="a b", name="x\u202e")
    assert response.status_code == 422
    assert {*fields_of(response)} == {"email", "password", "username", "name"}


@pytest.mark.parametrize(
    ("language", "title"), [("de", "de"), ("ar, en;q=0.5", "ar"), ("tlh", "en"), ("", "en")], ids=str
)
def test_a_problem_names_its_language(program: Program, language: str, title: str) -> None:
    response = program.post("login", {"Accept-Language": language}, login="alice", password="wrong")
    assert response.headers["Content-Language"] == title
    assert "Accept-Language" in response.headers["Vary"]


def test_no_answer_is_stored(program: Program) -> None:
    good = program.post("login", login="alice", password=PASSWORD)
    bad = program.post("login", login="alice", password="wrong")
    assert good.headers["Cache-Control"] == bad.headers["Cache-Control"] == "no-store"


@pytest.mark.row("BF-01")
def test_the_limit_of_all_requests_is_a_problem_too(make_app: Callable[..., Flask]) -> None:
    program = Program(make_app(ratelimit_enabled=True, ratelimit_default="2/minute"))
    statuses = [program.send("logout").status_code for _ in range(3)]
    assert 429 in statuses
    response = program.send("logout")
    assert response.status_code == 429 and kind_of(response) == "too-many-requests"


def test_a_database_that_fails_is_a_problem_without_its_insides(program: Program) -> None:
    assert program.document
    with program.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE accounts RENAME TO elsewhere")

    response = program.post("login", login="alice", password=PASSWORD)

    assert response.status_code == 503 and kind_of(response) == "unavailable"
    assert "elsewhere" not in response.text and "SELECT" not in response.text


def test_nothing_is_sent_by_a_request_that_was_refused(program: Program) -> None:
    program.send("recover", b'{"login": "alice"}', Sec_Fetch_Site="cross-site")
    program.send("recover", b'{"login": "alice"}', Content_Type="text/plain")
    assert mailbox.of(program.app) == []
    assert flows.base_url(program.app) == "https://id.example.test"
