"""Parameters are read in one way only, or not at all."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from authlib.oauth2 import OAuth2Error
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from oidc_server import strict_form
from oidc_server.errors import ProtocolError, json_error
from oidc_server.form import Form

from .conftest import ISSUER

FORM = "application/x-www-form-urlencoded"


def make_echo() -> Flask:
    echo = Flask(__name__)
    echo.register_error_handler(OAuth2Error, json_error)

    @echo.post("/machine")
    def machine() -> dict[str, Any]:
        return {"form": strict_form.read_form(request).as_lists()}

    @echo.post("/again")
    def again() -> dict[str, Any]:
        try:
            strict_form.read_form(request)
        except ProtocolError:
            return {"form": strict_form.read_form(request).as_lists()}
        return {"same": strict_form.read_form(request) == strict_form.read_form(request)}

    @echo.post("/optional")
    def optional() -> dict[str, Any]:
        return {"form": strict_form.read_form(request, may_be_empty=True).as_lists()}

    @echo.post("/page")
    def page() -> dict[str, Any]:
        return {"form": strict_form.read_page_form(request).as_lists()}

    @echo.route("/authorize", methods=["GET", "POST"])
    def authorize() -> dict[str, Any]:
        form = strict_form.read_authorization_parameters(request)
        return {"form": form.as_lists(), "duplicates": sorted(form.duplicates)}

    return echo


ECHO = make_echo()


@pytest.fixture
def echo() -> FlaskClient:
    return ECHO.test_client()


def post(echo: FlaskClient, body: bytes | str, path: str = "/machine", content_type: str | None = FORM) -> TestResponse:
    return echo.post(path, data=body, content_type=content_type, base_url=ISSUER)


def assert_refused(response: TestResponse, *statuses: int) -> None:
    assert response.status_code in (statuses or (400,)), response.text
    assert response.json is not None and response.json["error"] == "invalid_request"
    assert response.headers["Cache-Control"] == "no-store"


def stream(
    echo: FlaskClient, body: Any, length: int | None = None, path: str = "/machine", server_ends_it: bool = True
) -> TestResponse:
    """Send a body as a server hands it out: with a Content-Length, or chunked."""
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_TYPE": FORM}
    environ |= {"CONTENT_LENGTH": str(length)} if length is not None else {"HTTP_TRANSFER_ENCODING": "chunked"}
    environ |= {"wsgi.input_terminated": True} if server_ends_it and length is None else {}
    return echo.post(path, environ_overrides=environ, base_url=ISSUER)


class CountingStream(io.RawIOBase):
    """An endless body that counts what was taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.taken += len(buffer)
        buffer[:] = b"a" * len(buffer)
        return len(buffer)


def test_reads_what_was_sent(echo: FlaskClient) -> None:
    response = post(echo, "grant_type=refresh_token&scope=a+b&name=%C3%84&plus=%2B&raw=\u00e4".encode())
    assert response.json == {
        "form": {"grant_type": ["refresh_token"], "scope": ["a b"], "name": ["Ä"], "plus": ["+"], "raw": ["ä"]}
    }


@pytest.mark.row("AR-07")
def test_an_empty_value_counts_as_absent(echo: FlaskClient) -> None:
    assert post(echo, "scope=&nonce&state=x&").json == {"form": {"state": ["x"]}}


def test_only_resource_may_be_repeated(echo: FlaskClient) -> None:
    response = post(echo, "resource=https://a.example&resource=https://b.example")
    assert response.json == {"form": {"resource": ["https://a.example", "https://b.example"]}}


@pytest.mark.row("HT-01")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("scope=admin", "scope=read"),
        ("scope=admin", ""),
        ("x", "scope=read"),
        ("", "scope=read&scope=admin"),
        ("", "scope=&scope=admin"),
        ("", "scope=read&s%63ope=admin"),
    ],
)
@pytest.mark.parametrize("path", ["/machine", "/page", "/optional"])
def test_a_parameter_that_could_mean_two_things_is_refused(echo: FlaskClient, path: str, query: str, body: str) -> None:
    assert_refused(post(echo, body, f"{path}?{query}"))


@pytest.mark.row("HT-02")
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        f"{FORM}; charset=utf-7",
        f"{FORM}; charset=iso-8859-1",
        f"{FORM}; charset=utf-8; charset=utf-7",
        f"{FORM}, application/json",
        "application/x-www-form-urlencoded-not",
    ],
)
def test_another_content_type_is_not_taken_for_no_parameters(echo: FlaskClient, content_type: str | None) -> None:
    assert_refused(post(echo, "scope=read", content_type=content_type), 400, 415)


@pytest.mark.parametrize(
    "content_type", [FORM.title(), f"{FORM};charset=UTF-8", f'{FORM}; charset="utf-8"', f"{FORM} ; charset=utf-8 "]
)
def test_every_spelling_of_the_right_content_type_is_read(echo: FlaskClient, content_type: str) -> None:
    assert post(echo, "scope=read", content_type=content_type).status_code == 200


@pytest.mark.row("HT-03")
def test_a_large_body_is_refused_by_its_announced_length_without_being_read(echo: FlaskClient) -> None:
    body = CountingStream()
    assert_refused(stream(echo, io.BufferedReader(body), 10**7), 413)
    assert body.taken == 0


@pytest.mark.row("HT-03")
def test_an_endless_body_without_length_is_read_up_to_the_limit_only(echo: FlaskClient) -> None:
    body = CountingStream()
    assert_refused(stream(echo, io.BufferedReader(body)), 413)
    assert body.taken < 3 * strict_form.MAX_BODY


@pytest.mark.row("HT-03")
def test_a_chunked_body_that_the_server_does_not_end_is_refused(echo: FlaskClient) -> None:
    assert_refused(stream(echo, io.BytesIO(b"scope=read"), server_ends_it=False), 411)


def test_a_chunked_body_is_read(echo: FlaskClient) -> None:
    assert stream(echo, io.BytesIO(b"scope=read")).json == {"form": {"scope": ["read"]}}


class BrokenStream(io.RawIOBase):
    """A body whose server finds, in an error class of its own, that the chunks are none."""

    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("invalid chunk size")


@pytest.mark.parametrize("length", [None, 10])
def test_a_body_that_the_server_cannot_read_is_refused(echo: FlaskClient, length: int | None) -> None:
    assert_refused(stream(echo, BrokenStream(), length))


def test_a_body_shorter_than_announced_is_refused(echo: FlaskClient) -> None:
    assert_refused(stream(echo, io.BytesIO(b"scope=read"), 100))


def test_a_refused_body_stays_refused_when_it_is_read_again(echo: FlaskClient) -> None:
    body = b"a=" + b"x" * strict_form.MAX_BODY + b"&scope=admin"
    assert_refused(stream(echo, io.BytesIO(body), path="/again"), 413)


def test_a_body_can_be_read_twice(echo: FlaskClient) -> None:
    assert post(echo, "scope=read", "/again").json == {"same": True}


def test_two_requests_in_one_application_context_are_two_forms() -> None:
    with ECHO.app_context():
        first = post(ECHO.test_client(), "scope=read")
        second = post(ECHO.test_client(), "scope=write")
    assert first.json == {"form": {"scope": ["read"]}}
    assert second.json == {"form": {"scope": ["write"]}}


@pytest.mark.row("HT-04")
def test_a_hundred_thousand_fields_are_refused(echo: FlaskClient) -> None:
    assert_refused(post(echo, "&".join(["a="] * 20_000)))
    assert_refused(post(echo, "&".join(f"a{number}=1" for number in range(101))))
    assert_refused(post(echo, "a=1&" * 100_000), 413)
    assert post(echo, "&".join(f"a{number}=1" for number in range(100))).status_code == 200


@pytest.mark.row("HT-11")
@pytest.mark.parametrize(
    "body",
    [
        b"scope=\xff",
        b"scope=%ff",
        b"scope=%c0%af",
        b"scope=%ed%a0%80",
        b"scope=a%00b",
        b"sc%00ope=a",
        b"scope=a\x00b",
        b"scope=%",
        b"scope=%4",
        b"scope=%zz",
        b"s%ope=a",
    ],
)
def test_broken_encodings_are_refused(echo: FlaskClient, body: bytes) -> None:
    assert_refused(post(echo, body))
    assert_refused(echo.get("/authorize", environ_overrides={"QUERY_STRING": body.decode("latin-1")}))


@pytest.mark.row("HT-13")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused(echo: FlaskClient, encoding: str) -> None:
    body = gzip.compress(b"scope=" + b"a" * 10_000_000)
    response = echo.post("/machine", data=body, content_type=FORM, headers={"Content-Encoding": encoding})
    assert_refused(response, 415)


@pytest.mark.row("HT-14")
def test_array_and_nested_names_are_names_like_any_other(echo: FlaskClient) -> None:
    response = post(echo, "code[]=1&code.x=2&code%5B0%5D=3")
    assert response.json == {"form": {"code[]": ["1"], "code.x": ["2"], "code[0]": ["3"]}}


@pytest.mark.row("AR-08")
def test_values_are_long_but_not_endless(echo: FlaskClient) -> None:
    assert echo.get("/authorize", query_string="state=" + "s" * 8192).status_code == 200
    assert_refused(echo.get("/authorize", query_string="state=" + "s" * 8193))
    assert_refused(echo.get("/authorize", query_string="state=" + "s" * 2**20), 414)
    assert post(echo, "client_assertion=" + "s" * 16384).status_code == 200
    assert_refused(post(echo, "client_assertion=" + "s" * 16385))
    assert_refused(post(echo, "s" * 129 + "=x"))


@pytest.mark.row("AR-06")
def test_authorization_parameters_come_from_one_place(echo: FlaskClient) -> None:
    assert_refused(post(echo, "scope=b", "/authorize?scope=a"))
    assert_refused(echo.get("/authorize?scope=a", data="scope=b", content_type=FORM))
    assert post(echo, "scope=b", "/authorize").json == {"form": {"scope": ["b"]}, "duplicates": []}


@pytest.mark.row("AR-05", "RU-17")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_authorization_duplicates_are_named_so_that_the_caller_can_choose_the_answer(
    echo: FlaskClient, method: str
) -> None:
    parameters = "client_id=a&client_id=b&scope=x&nonce=1&nonce=&resource=r&resource=s"
    response = echo.get(f"/authorize?{parameters}") if method == "GET" else post(echo, parameters, "/authorize")
    assert response.json is not None
    assert response.json["duplicates"] == ["client_id", "nonce"]
    assert response.json["form"]["resource"] == ["r", "s"]


def test_userinfo_may_be_posted_without_a_body(echo: FlaskClient) -> None:
    assert echo.post("/optional").json == {"form": {}}
    assert_refused(echo.post("/machine"))
    assert_refused(echo.post("/optional", data=b"access_token=x", content_type=""))


def test_a_form_does_not_show_its_values() -> None:
    assert "hunter2" not in repr(Form([("password", "hunter2")]))


def test_a_form_survives_storage() -> None:
    form = Form([("scope", "a"), ("resource", "r"), ("resource", "s")])
    assert Form.from_lists(json.loads(json.dumps(form.as_lists()))) == form
    assert form.getlist("resource") == ["r", "s"]
    assert form["resource"] == "r"
    assert form.getlist("none") == []


MACHINE_ENDPOINTS = pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/userinfo"])


@MACHINE_ENDPOINTS
@pytest.mark.row("HT-01", "HT-02", "HT-03", "HT-04", "HT-11", "HT-13")
def test_every_machine_endpoint_reads_strictly(app: Flask, path: str) -> None:
    machine = app.test_client(use_cookies=False)
    assert_refused(post(machine, "token=x", f"{path}?scope=admin"))
    assert_refused(post(machine, "token=x&token=y", path))
    assert_refused(post(machine, '{"token":"x"}', path, "application/json"))
    assert_refused(post(machine, "token=%ff", path))
    assert_refused(post(machine, "&".join(f"a{number}=1" for number in range(101)), path))
    assert_refused(post(machine, "token=" + "x" * 10**6, path), 413)
    gzipped = {"Content-Encoding": "gzip"}
    body = gzip.compress(b"token=x")
    assert_refused(machine.post(path, data=body, content_type=FORM, headers=gzipped, base_url=ISSUER), 415)
    endless = CountingStream()
    assert_refused(stream(machine, io.BufferedReader(endless), path=path), 413)
    assert endless.taken < 3 * strict_form.MAX_BODY


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, TEXT, max_size=10))
def test_whatever_is_encoded_well_arrives_as_it_was(values: dict[str, str]) -> None:
    response = post(ECHO.test_client(), urlencode(values))
    assert response.json == {"form": {name: [value] for name, value in values.items()}}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert post(ECHO.test_client(), body).status_code in (200, 400)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab=&+%2Cé;# ", max_size=30))
def test_names_and_values_are_those_that_the_standard_library_reads(text: str) -> None:
    try:
        ours = strict_form._pairs(text.encode())
    except ProtocolError:
        return  # a broken escape, or UTF-8 that is none: the standard library lets some of them pass
    assert ours == parse_qsl(text, keep_blank_values=True, errors="strict")
