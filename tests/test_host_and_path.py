"""Which host and which spelling of a path are ours."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from .ground import ISSUER, call, make_ground


@pytest.fixture
def app() -> Flask:
    return make_ground()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


WRONG_HOSTS = [
    "evil.example",
    "id.example.test.evil.example",
    "id.example.test:444",
    "id.example.test.",
    "user@id.example.test",
]
WRONG_HOSTS += ["evil.example, id.example.test", "id.example.test evil.example", "", "localhost", "127.0.0.1"]


@pytest.mark.row("HT-07", "RC-01")
@pytest.mark.parametrize("host", WRONG_HOSTS)
def test_another_host_is_told_where_we_are_and_nothing_else(app: Flask, host: str) -> None:
    for path in ("/jwks.json", "/login", "/nowhere"):
        response = app.test_client().get(path, base_url=ISSUER, environ_overrides={"HTTP_HOST": host})
        assert response.status_code == 421
        assert response.text == f"This server answers at {ISSUER} only.\n"
        assert response.mimetype == "text/plain"


@pytest.mark.row("HT-07")
@pytest.mark.parametrize("host", ["id.example.test", "ID.Example.Test", "id.example.test:443"])
def test_our_own_host_is_ours_in_any_spelling(app: Flask, host: str) -> None:
    assert app.test_client().get("/login", base_url=ISSUER, environ_overrides={"HTTP_HOST": host}).status_code == 200


@pytest.mark.row("HT-07")
def test_forwarded_hosts_are_not_believed(client: FlaskClient) -> None:
    response = call(client, "/login", X_Forwarded_Host="evil.example", Forwarded="host=evil.example")
    assert response.status_code == 200
    assert "evil" not in response.text + str(response.headers)


def test_health_is_asked_by_address(app: Flask) -> None:
    assert app.test_client().get("/healthz", base_url="http://10.0.0.7:8000").status_code == 200


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_on_this_machine_its_other_names_serve_too(host: str) -> None:
    client = make_ground(issuer="http://localhost:8000").test_client()
    assert client.get("/login", base_url=f"http://{host}").status_code == 200
    assert client.get("/login", base_url=f"http://{host.replace('8000', '8001')}").status_code == 421


@pytest.mark.row("HT-07")
def test_in_production_a_loopback_issuer_has_one_name() -> None:
    client = make_ground(environment="production", issuer="https://localhost:8000").test_client()
    assert client.get("/login", base_url="https://localhost:8000").status_code == 200
    assert client.get("/login", base_url="https://127.0.0.1:8000").status_code == 421


TRICKS = ["//userinfo", "/userinfo/", "/./userinfo", "/a/../userinfo", "/userinfo;x", "/userinfo/x.css", "/login;.js"]
TRICKS += ["/userinfo%00", "/userinfo%2f.png", "/login/", "/static//style.css", "/static/../settings.py", "/login%5c"]
TRICKS += ["/static/%2e%2e/settings.py", "/jwks.json/", "/USERINFO", "/static/./style.css", "/static/x/../style.css"]


@pytest.mark.row("HT-10", "WB-08")
@pytest.mark.parametrize(
    "path",
    TRICKS,
)
def test_a_path_that_is_not_exactly_ours_is_not_found_and_not_redirected(client: FlaskClient, path: str) -> None:
    response = client.get(path, base_url=ISSUER)
    assert response.status_code == 404
    assert "Location" not in response.headers
