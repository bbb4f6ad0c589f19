"""What application.py leaves out of Flask: nothing that shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.test import create_environ

from oidc_server.application import Answer
from oidc_server.log_lines import AUDIT, AuditRecord


def plain(kind: type[flask.Response]) -> flask.Response:
    return kind(b'{"a":1}', 200, [("Content-Type", "application/json"), ("X-One", "1")])


def text(kind: type[flask.Response]) -> flask.Response:
    return kind("Grüße", 404, mimetype="text/plain")


def nothing(kind: type[flask.Response]) -> flask.Response:
    return kind(status=204)


def unchanged(kind: type[flask.Response]) -> flask.Response:
    response = kind(b"abc", 304, [("ETag", '"1"'), ("Content-Type", "text/plain")])
    response.headers["Content-Length"] = "3"
    return response


def moved(kind: type[flask.Response]) -> flask.Response:
    return kind(b"", 303, [("Location", "https://app.example/callback?code=a%20b&iss=x#_")])


def moved_to_umlauts(kind: type[flask.Response]) -> flask.Response:
    return kind(b"", 303, [("Location", "https://äpp.example/straße?code=1")])


def in_pieces(kind: type[flask.Response]) -> flask.Response:
    return kind(iter([b"a", b"b"]), 200)


def with_cookie(kind: type[flask.Response]) -> flask.Response:
    response = kind(b"x")
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


KINDS = [plain, text, nothing, unchanged, moved, moved_to_umlauts, in_pieces, with_cookie]


@pytest.mark.parametrize("make", KINDS, ids=[make.__name__ for make in KINDS])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_response_leaves_as_flasks_would(make: Callable[[type[flask.Response]], flask.Response], method: str) -> None:
    def sent(kind: type[flask.Response]) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []
        body = b"".join(
            make(kind)(create_environ(method=method), lambda status, headers, *_: started.extend([status, headers]))
        )  # type: ignore[arg-type,misc]
        return started[0], sorted(started[1]), body

    assert sent(Answer) == sent(flask.Response)


def test_what_was_to_happen_at_the_end_of_a_response_happens() -> None:
    ended: list[str] = []
    response = Answer(b"x")
    response.call_on_close(lambda: ended.append("ended"))
    body = response(create_environ(), lambda *_: None)  # type: ignore[arg-type,return-value]
    assert b"".join(body) == b"x"
    body.close()  # type: ignore[attr-defined]
    assert ended == ["ended"]


def test_every_address_is_found_as_werkzeug_finds_it(app: Flask) -> None:
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    paths |= (
        {path + "/" for path in paths} | {path.upper() for path in paths} | {"/nowhere", "//token", "/static/style.css"}
    )
    compared = 0
    for path in sorted(paths):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"):
            with app.test_request_context(path, method=method):
                assert found(app, path, method) == found(app, path, method, by=MapAdapter), (method, path)
                compared += 1
    assert compared > 300


def found(app: Flask, path: str, method: str, by: type[MapAdapter] | None = None) -> object:
    """The rule and the variables of an address, or how it is refused."""
    request = app.request_class(create_environ(path, method=method))
    adapter = app.create_url_adapter(request)
    assert adapter is not None
    try:
        return by.match(adapter, return_rule=True) if by else adapter.match(return_rule=True)
    except RequestRedirect as redirect:
        return redirect.new_url
    except HTTPException as error:
        return type(error), getattr(error, "valid_methods", None)


def test_links_are_built_as_before(app: Flask) -> None:
    with app.test_request_context("/login", base_url="http://localhost:8000"):
        assert flask.url_for("static", filename="style.css") == "/static/style.css"
        assert flask.url_for("static", filename="style.css", _external=True) == "http://localhost:8000/static/style.css"


def test_an_audit_line_has_what_handlers_of_logs_ask_for() -> None:
    usual = logging.LogRecord(AUDIT, logging.INFO, "file", 1, "%s", ("x",), None)
    ours = AuditRecord('{"event":"100% of it"}', 1_700_000_000.25)
    assert set(vars(ours)) >= set(vars(usual))
    assert ours.getMessage() == '{"event":"100% of it"}'
    assert logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s %(process)s").format(ours)
    assert (ours.created, ours.msecs) == (1_700_000_000.25, 250)
