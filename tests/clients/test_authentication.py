"""A client proves who it is by the method it registered, and by nothing else."""

from __future__ import annotations

import base64
import logging
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask
from sqlalchemy import event

from oidc_server import audit, database
from oidc_server.clients import authentication, store

from ..conftest import ISSUER
from ..flows import machine_of
from .asking import (
    CONFIDENTIAL,
    ENDPOINTS,
    METHODS,
    ask,
    assert_invalid_request,
    assert_unknown,
    asserted,
    assertion,
    basic,
    credentials,
    make,
)

everywhere = pytest.mark.parametrize("path", sorted(ENDPOINTS))


def test_the_methods_of_these_tests_are_all_there_are() -> None:
    assert tuple(authentication.METHODS) == METHODS


@everywhere
@pytest.mark.parametrize("method", METHODS)
def test_a_client_is_known_by_its_own_method(app: Flask, method: str, path: str) -> None:
    form, headers = credentials(make(app, method))
    response = ask(app, path, form, headers)
    if method == "none" and path != "/revoke":
        assert_unknown(response)
    else:
        assert response.status_code == 200, response.text


def test_methods_and_algorithms_are_advertised_as_they_are_mounted(app: Flask) -> None:
    facts = app.extensions["oidc_server"].metadata
    assert facts["token_endpoint_auth_methods_supported"] == list(METHODS)
    algorithms = ["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"]
    for endpoint in ("token", "introspection", "revocation"):  # RFC 8414 §2: wherever assertions are accepted
        assert facts[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == algorithms


@everywhere
@pytest.mark.row("CA-01")
def test_a_wrong_secret_is_refused(app: Flask, path: str, caplog: pytest.LogCaptureFixture) -> None:
    made = make(app)
    client_id, secret = made.client.client_id, str(made.client_secret)
    with caplog.at_level(logging.INFO):
        for wrong in ("wrong-secret-canary", secret + "x", secret[:-1], secret.swapcase(), "", " " + secret, "é"):
            assert_unknown(ask(app, path, {}, basic(client_id, wrong)), with_header=True)
        post = make(app, "client_secret_post")
        fields = {"client_id": post.client.client_id, "client_secret": "wrong-secret-canary"}
        assert_unknown(ask(app, path, fields))
    assert "wrong-secret-canary" not in caplog.text
    assert secret not in caplog.text


@everywhere
@pytest.mark.row("CA-01", "CA-19")
def test_an_unknown_client_looks_like_a_wrong_secret_and_costs_the_same_queries(app: Flask, path: str) -> None:
    known = make(app).client.client_id
    post = make(app, "client_secret_post").client.client_id
    attempts: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, basic(known, "wrong")),
        ({}, basic("nobody", "wrong")),
        ({}, basic(post, "wrong")),
    ]
    answers, queries = [], []
    with app.app_context():
        engine = database.db.engine
    for form, headers in attempts:
        seen: list[str] = []
        listener = lambda connection, cursor, statement, *rest: seen.append(statement)  # noqa: E731, B023
        event.listen(engine, "before_cursor_execute", listener)
        answer = ask(app, path, form, headers)
        event.remove(engine, "before_cursor_execute", listener)
        answers.append((answer.status_code, answer.data, sorted(answer.headers.keys())))
        queries.append([one for one in seen if "clients" in one])
    assert answers[0] == answers[1] == answers[2]
    assert len(queries[0]) == 1
    assert queries[0] == queries[1] == queries[2]


@everywhere
@pytest.mark.row("CA-02")
def test_two_credentials_at_once_are_refused_even_if_both_are_right(app: Flask, path: str) -> None:
    by_header, by_post, by_key = make(app), make(app, "client_secret_post"), make(app, "private_key_jwt")
    header = basic(by_header.client.client_id, by_header.client_secret)
    fields, _ = credentials(by_post)
    for form, headers in (
        ({"client_secret": str(by_header.client_secret)}, header),
        (fields, header),
        (credentials(by_key)[0], header),
        (fields | credentials(by_key)[0], {}),
        (fields | {"client_assertion_type": "x"}, {}),
        (fields, {"Authorization": "Bearer x"}),
    ):
        assert_invalid_request(ask(app, path, form, headers))


@everywhere
@pytest.mark.row("CA-03", "CA-13")
@pytest.mark.parametrize("registered", METHODS)
def test_a_right_secret_by_another_method_is_refused(app: Flask, path: str, registered: str) -> None:
    made = make(app, registered)
    client_id = made.client.client_id
    secret = made.client_secret or "x"
    tries: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "client_secret_basic": ({}, basic(client_id, secret)),
        "client_secret_post": ({"client_id": client_id, "client_secret": secret}, {}),
        "private_key_jwt": (asserted(assertion(make(app, "private_key_jwt"), iss=client_id, sub=client_id)), {}),
        "none": ({"client_id": client_id}, {}),
    }
    tries.pop(registered, None)
    for method, (form, headers) in tries.items():
        assert_unknown(ask(app, path, form, headers), with_header=method == "client_secret_basic")


@pytest.mark.row("CA-03")
def test_a_secret_in_the_query_is_refused(app: Flask) -> None:
    made = make(app, "client_secret_post")
    query = f"client_id={made.client.client_id}&client_secret={made.client_secret}"
    for path in ENDPOINTS:
        assert_invalid_request(machine_of(app).post(f"{path}?{query}", data=ENDPOINTS[path], base_url=ISSUER))


@everywhere
@pytest.mark.row("CA-04")
@pytest.mark.parametrize("method", CONFIDENTIAL)
def test_a_confidential_client_cannot_just_say_its_name(app: Flask, path: str, method: str) -> None:
    made = make(app, method)
    assert_unknown(ask(app, path, {"client_id": made.client.client_id}))
    assert_unknown(ask(app, path, {"client_id": made.client.client_id, "client_secret": ""}))


@everywhere
def test_nobody_is_refused(app: Flask, path: str) -> None:
    assert_unknown(ask(app, path, {}))
    assert_unknown(ask(app, path, {"client_secret": "x"}))
    assert_unknown(ask(app, path, {"client_id": "nobody"}))


def hostile_headers(client_id: str, secret: str) -> list[str]:
    good = base64.b64encode(f"{client_id}:{secret}".encode()).decode()

    def encoded(raw: bytes) -> str:
        return "Basic " + base64.b64encode(raw).decode()

    return [
        "Basic",
        "Basic ",
        f"Basic  {good}",
        f"Basic\t{good}",
        f"Basic {good} ",
        f"Basic {good}=",
        f"Basic {good[:-1]}!",
        f"Basic {good[:6]} {good[6:]}",
        f"Basic {good}, Basic {good}",
        f"Bearer {good}",
        f"Digest {good}",
        good,
        encoded(client_id.encode()),
        encoded(f"{client_id};{secret}".encode()),
        encoded(f"{client_id}:{secret}\0".encode()),
        encoded(f"{client_id}%00:{secret}".encode()),
        encoded(f"{client_id}:{secret}%".encode()),
        encoded(f"{client_id}:{secret}%zz".encode()),
        encoded(f"{client_id}:{secret}%ff".encode()),
        encoded(f"{client_id}%3A{secret}".encode()),
        encoded(f"{client_id}%3A:{secret}".encode()),
        encoded(b"\xff\xfe:\xff"),
        encoded(f":{secret}".encode()),
        encoded(f"{client_id}::{secret}".encode()),
        encoded(b"a" * 30_000 + b":x"),
        encoded("\ud800".encode("utf-8", "surrogatepass") + b":x"),
        "Basic \u00e9",
    ]


@pytest.mark.row("CA-06")
def test_a_strange_authorization_header_is_refused_and_breaks_nothing(app: Flask) -> None:
    made = make(app)
    for header in hostile_headers(made.client.client_id, str(made.client_secret)):
        assert_unknown(ask(app, "/token", {}, {"Authorization": header}), with_header=True)


@pytest.mark.row("CA-06")
def test_two_authorization_headers_are_refused(app: Flask) -> None:
    made = make(app)
    good = basic(made.client.client_id, made.client_secret)["Authorization"]
    response = machine_of(app).post(
        "/token", data=ENDPOINTS["/token"], headers=[("Authorization", good), ("Authorization", good)], base_url=ISSUER
    )
    assert_unknown(response, with_header=True)


@pytest.mark.row("CA-06")
def test_identifier_and_secret_are_form_encoded_in_the_header(app: Flask) -> None:
    with app.app_context():
        machine = {"grant_types": ["client_credentials"], "scope": "photos:read"}
        made = store.create(machine, client_id="https://photos.example:8443/app")
    name, secret = quote_plus(made.client.client_id), quote_plus(str(made.client_secret))
    assert ask(app, "/token", {}, basic(name, secret)).status_code == 200
    header = basic(name, secret)["Authorization"].replace("Basic", "bAsIc")
    assert ask(app, "/token", {}, {"Authorization": header}).status_code == 200
    assert_unknown(ask(app, "/token", {}, basic(made.client.client_id, secret)), with_header=True)


@everywhere
@pytest.mark.row("CA-07")
@pytest.mark.parametrize("method", CONFIDENTIAL)
def test_a_client_id_in_the_body_must_be_the_one_that_proves_itself(app: Flask, path: str, method: str) -> None:
    made, other = make(app, method), make(app, method)
    form, headers = credentials(made)
    if method != "client_secret_post":
        assert_invalid_request(ask(app, path, form | {"client_id": other.client.client_id}, headers))
        form, headers = credentials(made)
    assert ask(app, path, form | {"client_id": made.client.client_id}, headers).status_code == 200


@everywhere
@pytest.mark.row("AR-09")
@pytest.mark.parametrize("method", METHODS)
def test_a_disabled_or_deleted_client_is_unknown(app: Flask, path: str, method: str) -> None:
    made = make(app, method)
    with app.app_context():
        store.update(made.client.client_id, {}, is_disabled=True)
    form, headers = credentials(made)
    assert_unknown(ask(app, path, form, headers), with_header=bool(headers))
    with app.app_context():
        store.delete(made.client.client_id)
    form, headers = credentials(made)
    assert_unknown(ask(app, path, form, headers), with_header=bool(headers))


@pytest.mark.row("LS-05")
def test_every_failure_is_recorded_with_its_reason(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    facts: list[dict[str, Any]] = []
    monkeypatch.setattr(audit, "record", lambda happened, **fields: facts.append({"event": happened, **fields}))
    made, signer = make(app), make(app, "private_key_jwt")
    ask(app, "/token", {}, basic(made.client.client_id, "wrong"))
    ask(app, "/introspect", {}, basic("nobody", "wrong"))
    ask(app, "/revoke", {"client_id": made.client.client_id})
    ask(app, "/revoke", asserted(assertion(signer, aud="https://other.example")))
    failures = [fact for fact in facts if fact["event"] == audit.CLIENT_AUTHENTICATION_FAILED]
    assert [(fact["client_id"], fact["method"], fact["reason"]) for fact in failures] == [
        (made.client.client_id, "client_secret_basic", "wrong secret"),
        ("nobody", "client_secret_basic", "unknown or disabled client"),
        (made.client.client_id, "none", "not the registered method"),
        (signer.client.client_id, "assertion", "client assertion: wrong aud"),
    ]
