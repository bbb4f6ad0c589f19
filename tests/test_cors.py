"""Who may read what from a script of another origin: documents everybody, endpoints the registered apps, pages nobody."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oidc_server import cors

from .ground import call, make_ground

SPA = "https://spa.example"
EVIL_ORIGINS = [
    "null",
    "https://evil.example",
    "https://spa.example.evil.example",
    "https://evilspa.example",
    "http://spa.example",
]
EVIL_ORIGINS += [
    "https://spa.example:444",
    "https://spa.example/",
    "https://user@spa.example",
    "*",
    "https://spa.example, https://evil.example",
]


@pytest.fixture
def app() -> Flask:
    app = make_ground()
    cors.use_origin_lookup(app, lambda origin: origin == SPA)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.row("WB-06")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/token", 401), ("POST", "/revoke", 500), ("GET", "/userinfo", 200), ("PUT", "/token", 405)],
)
def test_scripts_of_a_registered_app_can_read_answers_and_errors_alike(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = call(client, path, method, Origin=SPA)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == SPA
    assert response.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate, Retry-After"
    assert "Origin" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.row("WB-06")
@pytest.mark.parametrize("origin", EVIL_ORIGINS)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_origins_can_read_nothing(client: FlaskClient, method: str, origin: str) -> None:
    response = call(client, "/token", method, Origin=origin, Access_Control_Request_Method="POST")
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118
    assert "Origin" in response.headers["Vary"], "or a cache would give this answer to a registered app"


@pytest.mark.row("WB-06", "AR-21")
@pytest.mark.parametrize("path", ["/authorize", "/login", "/introspect", "/static/style.css", "/nowhere", "/healthz"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_and_the_authorization_endpoint_share_nothing_with_any_origin(
    client: FlaskClient, method: str, path: str
) -> None:
    response = call(client, path, method, Origin=SPA, Access_Control_Request_Method="GET")
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118


@pytest.mark.row("WB-06")
@pytest.mark.parametrize(
    ("path", "origin", "allowed", "methods"),
    [
        ("/token", SPA, SPA, "POST"),
        ("/revoke", SPA, SPA, "POST"),
        ("/userinfo", SPA, SPA, "GET, POST"),
        ("/jwks.json", "https://anybody.example", "*", "GET"),
        ("/.well-known/openid-configuration", "https://anybody.example", "*", "GET"),
        ("/.well-known/oauth-authorization-server", "https://anybody.example", "*", "GET"),
    ],
)
def test_a_preflight_is_answered_before_anything_else(
    client: FlaskClient, path: str, origin: str, allowed: str, methods: str
) -> None:
    response = call(client, path, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == allowed
    assert response.headers["Access-Control-Allow-Methods"] == methods
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert response.headers["Access-Control-Max-Age"] == "600"


def test_an_origin_is_looked_up_once_in_a_while_and_malformed_ones_never(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    cors.use_origin_lookup(app, lambda origin: bool(asked.append(origin)) or True)  # type: ignore[func-returns-value]
    for origin in [SPA, SPA, "null", "https://a b", ""]:
        call(client, "/token", "POST", Origin=origin)
    assert asked == [SPA]
    clock[0] += cors.ORIGIN_CACHE_SECONDS + 1
    call(client, "/token", "POST", Origin=SPA)
    assert asked == [SPA, SPA]


def test_when_the_lookup_fails_the_last_answer_serves(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(origin: str) -> bool:
        raise RuntimeError("the database is away")

    call(client, "/userinfo", Origin=SPA)
    cors.use_origin_lookup(app, fail)
    known_since = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: known_since + 2 * cors.ORIGIN_CACHE_SECONDS)
    assert call(client, "/userinfo", Origin=SPA).headers["Access-Control-Allow-Origin"] == SPA
    stranger = call(client, "/userinfo", Origin="https://stranger.example")
    assert stranger.status_code == 200
    assert "Access-Control-Allow-Origin" not in stranger.headers
