"""What a request is answered that the server could not carry out, through no fault of the client (RFC 9110 §15.6)."""

from __future__ import annotations

from .swarm import Answer

#: Seconds: database_timeout is 3, a connection has one to show that it works, and a machine under test may be slow.
PATIENCE = 5.5
#: Words that say how the server is built.
INSIDES = ("injected", "traceback", "sqlite", "psycopg", "sqlalchemy", "token_families", 'file "')


def assert_unavailable(answer: Answer) -> None:
    assert answer.status == 503, answer
    assert answer.json["error"] == "temporarily_unavailable"
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["cache-control"] == "no-store"
    assert answer.ended - answer.started < PATIENCE


def assert_fault(answer: Answer) -> None:
    assert answer.status == 500
    assert answer.json["error"] == "server_error"
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert not [word for word in INSIDES if word in answer.body.lower()]


def assert_fault_page(answer: Answer) -> None:
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert 'id="oauth-error"' in answer.body
    assert answer.headers["x-request-id"]
    assert "location" not in answer.headers
    assert not [word for word in INSIDES if word in answer.body.lower()]
