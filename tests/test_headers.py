"""What every response carries, and which host and paths are ours."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, make_response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server import headers

from .ground import ISSUER, call, make_ground


@pytest.fixture
def app() -> Flask:
    return make_ground()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def policy(response: TestResponse) -> dict[str, list[str]]:
    """The Content-Security-Policy as directive -> sources."""
    directives = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in directives}


def serve(app: Flask, view: Callable[[], Response]) -> TestResponse:
    app.add_url_rule("/page", view_func=view)
    return call(app.test_client(), "/page")


def page() -> Response:
    return make_response("<!doctype html><title>A page</title>")


EVERYTHING = [
    ("GET", "/login"),
    ("GET", "/broken"),
    ("GET", "/nowhere"),
    ("POST", "/token"),
    ("POST", "/revoke"),
    ("GET", "/jwks.json"),
]
EVERYTHING += [
    ("GET", "/authorize"),
    ("GET", "/userinfo"),
    ("GET", "/static/style.css"),
    ("DELETE", "/login"),
    ("OPTIONS", "/token"),
]


@pytest.mark.row("WB-05", "WB-12", "CO-06", "AC-12")
@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_every_response_refuses_frames_sniffing_and_referrers(client: FlaskClient, method: str, path: str) -> None:
    response = call(client, path, method, Accept="text/html")
    assert response.headers["X-Frame-Options"] == "DENY"
    assert policy(response)["frame-ancestors"] == ["'none'"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "X-Powered-By" not in response.headers
    assert "ython" not in response.headers["Server"] and "erkzeug" not in response.headers["Server"]


@pytest.mark.row("WB-04", "WB-13")
@pytest.mark.parametrize("path", ["/login", "/broken", "/nowhere"])
def test_pages_load_nothing_that_is_not_ours(client: FlaskClient, path: str) -> None:
    found = policy(call(client, path, Accept="text/html"))
    assert found["default-src"] == ["'none'"]
    assert found["style-src"] == found["script-src"] == found["img-src"] == ["'self'"]
    assert found["base-uri"] == ["'none'"]
    assert found["form-action"] == ["'self'"]
    assert not re.search(r"unsafe|nonce|\*", str(found))


@pytest.mark.row("WB-04")
@pytest.mark.parametrize("path", ["/jwks.json", "/token", "/static/favicon.svg"])
def test_what_is_no_page_may_do_nothing_when_opened_as_one(client: FlaskClient, path: str) -> None:
    found = policy(call(client, path, "POST" if path == "/token" else "GET"))
    assert found["default-src"] == found["form-action"] == ["'none'"]
    assert "script-src" not in found


def test_http_on_this_machine_carries_no_hsts() -> None:
    response = call(
        make_ground(issuer="http://localhost:8000").test_client(), "/login", base_url="http://localhost:8000"
    )
    assert response.status_code == 200
    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.row("RU-24")
@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://photos.example/callback?x=1", "https://photos.example"),
        ("https://Photos.Example:8443/callback", "https://photos.example:8443"),
        ("http://127.0.0.1:49152/callback", "http://127.0.0.1:49152"),
        ("http://[::1]:49152/callback", "http:"),
        ("com.example.photos:/callback", "com.example.photos:"),
    ],
)
def test_a_page_lets_its_form_end_at_the_client(app: Flask, uri: str, source: str) -> None:
    def view() -> Response:
        headers.allow_form_action(uri)
        return page()

    assert policy(serve(app, view))["form-action"] == ["'self'", source]


@pytest.mark.row("RU-24", "WB-04")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example;script-src *",
        "https://a b/",
        "https://*/",
        "https://x,y/",
        "javascript:alert(1)",
        "data:text/html,x",
        "",
        "https://[",
        "//x",
    ],
)
def test_no_uri_can_widen_the_policy(app: Flask, uri: str) -> None:
    def view() -> Response:
        headers.allow_form_action(uri)
        assert headers.logo(uri) == ""
        return page()

    found = policy(serve(app, view))
    assert found["form-action"] == found["script-src"] == found["img-src"] == ["'self'"]


@pytest.mark.row("RU-24")
def test_the_form_post_page_can_post_to_the_client_only(app: Flask) -> None:
    def view() -> Response:
        headers.allow_form_action("https://photos.example/cb", instead_of_self=True)
        return page()

    assert policy(serve(app, view))["form-action"] == ["https://photos.example"]


@pytest.mark.row("WB-02", "WB-13")
def test_only_the_origin_of_an_https_logo_enters_the_policy(app: Flask) -> None:
    def view() -> Response:
        assert headers.logo("https://photos.example/logo.png") == "https://photos.example/logo.png"
        assert headers.logo("http://photos.example/logo.png") == ""
        return page()

    assert policy(serve(app, view))["img-src"] == ["'self'", "https://photos.example"]


@pytest.mark.row("WB-12")
def test_pages_cut_off_their_opener_unless_the_app_asked_for_a_popup(app: Flask, client: FlaskClient) -> None:
    def popup() -> Response:
        headers.keep_opener()
        return page()

    assert call(client, "/login").headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in call(client, "/authorize").headers, (
        "a redirect would close a popup that shows no page"
    )
    assert "Cross-Origin-Opener-Policy" not in serve(make_ground(), popup).headers


@pytest.mark.row("WB-07")
@pytest.mark.parametrize(
    ("method", "path"), [entry for entry in EVERYTHING if entry[1] not in ("/jwks.json", "/static/style.css")]
)
def test_nothing_is_stored_unless_its_view_says_so(client: FlaskClient, method: str, path: str) -> None:
    assert call(client, path, method, Accept="text/html").headers["Cache-Control"] == "no-store"


@pytest.mark.row("WB-07", "WB-15")
def test_documents_are_cacheable_but_errors_at_their_paths_are_not(client: FlaskClient) -> None:
    assert call(client, "/jwks.json").headers["Cache-Control"] == "public, max-age=300"
    refused = call(client, "/jwks.json", "DELETE")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (405, "no-store")


@pytest.mark.row("WB-15")
def test_documents_are_the_same_bytes_for_everybody(client: FlaskClient) -> None:
    plain = call(client, "/jwks.json")
    for sent in (
        {"Accept": "text/html"},
        {"Origin": "https://evil.example"},
        {"X_Forwarded_Host": "evil.example"},
        {"X_Forwarded_Proto": "http"},
    ):
        response = call(client, "/jwks.json?x=1", **sent)
        assert response.data == plain.data
        assert "Vary" not in response.headers
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_static_files_are_kept_for_ever_under_their_version_and_never_under_another(
    app: Flask, client: FlaskClient
) -> None:
    with app.test_request_context(base_url=ISSUER):
        url = headers.static("style.css")
    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{12}", url)
    assert call(client, url).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/style.css", "/static/style.css?v=000000000000", url + "&x=1"):
        assert call(client, other).headers["Cache-Control"] == "no-cache"
    missing = call(client, "/static/nothing.css?v=None")
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")


def test_each_request_has_an_id_of_its_own_that_no_client_chooses(client: FlaskClient) -> None:
    ids = {call(client, "/login", X_Request_ID="chosen").headers["X-Request-ID"] for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch("[0-9a-f]{12}", found) for found in ids)
