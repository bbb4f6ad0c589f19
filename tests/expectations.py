"""What an answer must look like: the response shapes of the attack catalogue (§1.0), each as one assertion.

PAGE is expect_page, RED(x) expect_error_redirect, TOK(x) expect_token_error, CLI expect_invalid_client, REVOKE expect_revoked,
NOEFF no_effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.database import Base, db

from . import flows

ISSUER = "https://id.example.test"
#: Tables that count attempts, and columns that note a visit: what an attack may change.
COUNTERS = {"sign_in_failures", "known_devices"}
NOTES = {"last_seen_at", "last_used_at"}
#: RFC 6749 §4.1.2.1 and §5.2: what a description may be written with.
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
_REFERENCE = re.compile(r'<code id="error-reference">([2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4})</code>')


def expect_page(
    response: TestResponse, error: str | None = None, *, status: int = 400, never: tuple[str, ...] = ()
) -> str:
    """PAGE: an error page that leads nowhere and repeats nothing of `never`; answers its reference."""
    assert response.status_code == status, response.text
    assert response.mimetype == "text/html"
    assert "Location" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    policy = response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert 'id="oauth-error"' in response.text
    if error is not None:
        assert f"<code>{error}</code>" in response.text
    for text in never:
        assert text not in readable(response)
    reference = _REFERENCE.search(response.text)
    assert reference
    return reference[1]


def readable(response: TestResponse) -> str:
    """The page without what is sealed: that is random to whoever reads it, so it may spell anything."""
    return re.sub(r'name="(page|csrf_token)" value="[^"]*"', "", response.text)


def expect_error_redirect(
    response: TestResponse, error: str, *, state: str | None = "a-state", redirect_uri: str = flows.REDIRECT_URIS["web"]
) -> dict[str, str]:
    """RED(x): 303 to the validated redirect URI with the error, the exact state and `iss`, and nothing else."""
    assert response.status_code == 303, response.text
    (location,) = response.headers.getlist("Location")
    assert location.startswith(redirect_uri + ("&" if "?" in redirect_uri else "?")), location
    assert location.endswith("#_")
    return _expect_error(parse_qsl(location[len(redirect_uri) + 1 : -2], keep_blank_values=True), error, state)


def expect_error_form(
    response: TestResponse, error: str, *, state: str | None = "a-state", redirect_uri: str = flows.REDIRECT_URIS["web"]
) -> dict[str, str]:
    """RED(x) in the response mode form_post."""
    action, pairs = posted_form(response)
    assert action == redirect_uri
    return _expect_error(pairs, error, state)


def posted_form(response: TestResponse) -> tuple[str, list[tuple[str, str]]]:
    """Where the page of the response mode form_post leads, and with what."""
    assert response.status_code == 200, response.text
    assert response.mimetype == "text/html"
    assert response.headers["Cache-Control"] == "no-store"
    form = re.search(r'<form id="form-post" method="post" action="([^"]*)"[^>]*>(.*?)</form>', response.text, re.S)
    assert form, response.text
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[2])
    return unescape(form[1]), [(unescape(name), unescape(value)) for name, value in fields]


def _expect_error(pairs: list[tuple[str, str]], error: str, state: str | None) -> dict[str, str]:
    answer = dict(pairs)
    assert len(answer) == len(pairs), pairs
    assert answer.keys() == {"error", "error_description", "iss"} | ({"state"} if state is not None else set())
    assert answer["error"] == error
    assert answer.get("state") == state
    assert answer["iss"] == ISSUER
    assert _DESCRIPTION.fullmatch(answer["error_description"])
    return answer


def expect_token_error(response: TestResponse, error: str = "invalid_grant", *, status: int = 400) -> None:
    """TOK(x): a JSON error that nobody stores, with no token beside it."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.json
    assert answer is not None
    assert answer.keys() <= {"error", "error_description"}
    assert answer["error"] == error
    assert _DESCRIPTION.fullmatch(answer.get("error_description", "x"))


def expect_invalid_client(response: TestResponse, *, used_header: bool = True) -> None:
    """CLI: 401, with a challenge when the client used the Authorization header."""
    expect_token_error(response, "invalid_client", status=401)
    assert ("WWW-Authenticate" in response.headers) is used_header


def expect_revoked(app: Flask, tokens: dict[str, Any], client_id: str = "web") -> None:
    """REVOKE: nothing that the grant gave counts any more."""
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401
    expect_token_error(flows.refresh(app, tokens["refresh_token"], client_id))


def expect_alive(app: Flask, tokens: dict[str, Any]) -> None:
    """The opposite of REVOKE, as far as it can be seen without a refresh."""
    assert flows.userinfo(app, tokens["access_token"]).status_code == 200


@contextmanager
def no_effect(app: Flask) -> Iterator[None]:
    """NOEFF: apart from counters the database is afterwards what it was before."""
    before = digest(app)
    yield
    assert digest(app) == before


def digest(app: Flask) -> dict[str, list[str]]:
    """Every row of every table, without counters."""
    found = {}
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in COUNTERS:
                continue
            columns = [column for column in table.columns if column.name not in NOTES]
            rows = connection.execute(sa.select(*columns)).mappings()
            found[table.name] = sorted(
                str({name: _without_counters(value) for name, value in row.items()}) for row in rows
            )
    return found


def rows_of(app: Flask, kind: str) -> int:
    """How many short-lived values of a kind there are, expired ones included."""
    table = Base.metadata.tables["short_lived_values"]
    with app.app_context(), db.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).where(table.c.kind == kind)).scalar_one()


def audited(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """The audit lines of an event that were written so far."""
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "oidc_server.audit"]
    return [line for line in lines if line["event"] == event]


def _without_counters(value: Any) -> Any:
    return {name: one for name, one in value.items() if name != "wrong_verifiers"} if isinstance(value, dict) else value
