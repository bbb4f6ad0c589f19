"""What every response carries, and which host and paths are ours."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, make_response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server import headers

from .ground import ISSUER, make_ground

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
    headers.use_origin_lookup(app, lambda origin: origin == SPA)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def get(client: FlaskClient, path: str, method: str = "GET", base_url: str = ISSUER, **sent: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in sent.items()}
    return client.open(path, method=method, base_url=base_url, headers=named)


def policy(response: TestResponse) -> dict[str, list[str]]:
    """The Content-Security-Policy as directive -> sources."""
    directives = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in directives}


def serve(app: Flask, view: Callable[[], Response]) -> TestResponse:
    app.add_url_rule("/page", view_func=view)
    return get(app.test_client(), "/page")


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
    response = get(client, path, method, Accept="text/html")
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
    found = policy(get(client, path, Accept="text/html"))
    assert found["default-src"] == ["'none'"]
    assert found["style-src"] == found["script-src"] == found["img-src"] == ["'self'"]
    assert found["base-uri"] == ["'none'"]
    assert found["form-action"] == ["'self'"]
    assert not re.search(r"unsafe|nonce|\*", str(found))


@pytest.mark.row("WB-04")
@pytest.mark.parametrize("path", ["/jwks.json", "/token", "/static/favicon.svg"])
def test_what_is_no_page_may_do_nothing_when_opened_as_one(client: FlaskClient, path: str) -> None:
    found = policy(get(client, path, "POST" if path == "/token" else "GET"))
    assert found["default-src"] == found["form-action"] == ["'none'"]
    assert "script-src" not in found


def test_http_on_this_machine_carries_no_hsts() -> None:
    response = get(
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

    assert get(client, "/login").headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in get(client, "/authorize").headers, (
        "a redirect would close a popup that shows no page"
    )
    assert "Cross-Origin-Opener-Policy" not in serve(make_ground(), popup).headers


@pytest.mark.row("WB-07")
@pytest.mark.parametrize(
    ("method", "path"), [entry for entry in EVERYTHING if entry[1] not in ("/jwks.json", "/static/style.css")]
)
def test_nothing_is_stored_unless_its_view_says_so(client: FlaskClient, method: str, path: str) -> None:
    assert get(client, path, method, Accept="text/html").headers["Cache-Control"] == "no-store"


@pytest.mark.row("WB-07", "WB-15")
def test_documents_are_cacheable_but_errors_at_their_paths_are_not(client: FlaskClient) -> None:
    assert get(client, "/jwks.json").headers["Cache-Control"] == "public, max-age=300"
    refused = get(client, "/jwks.json", "DELETE")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (405, "no-store")


@pytest.mark.row("WB-15")
def test_documents_are_the_same_bytes_for_everybody(client: FlaskClient) -> None:
    plain = get(client, "/jwks.json")
    for sent in (
        {"Accept": "text/html"},
        {"Origin": "https://evil.example"},
        {"X_Forwarded_Host": "evil.example"},
        {"X_Forwarded_Proto": "http"},
    ):
        response = get(client, "/jwks.json?x=1", **sent)
        assert response.data == plain.data
        assert "Vary" not in response.headers
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_static_files_are_kept_for_ever_under_their_version_and_never_under_another(
    app: Flask, client: FlaskClient
) -> None:
    with app.test_request_context(base_url=ISSUER):
        url = headers.static("style.css")
    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{12}", url)
    assert get(client, url).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/style.css", "/static/style.css?v=000000000000", url + "&x=1"):
        assert get(client, other).headers["Cache-Control"] == "no-cache"
    missing = get(client, "/static/nothing.css?v=None")
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")


def test_each_request_has_an_id_of_its_own_that_no_client_chooses(client: FlaskClient) -> None:
    ids = {get(client, "/login", X_Request_ID="chosen").headers["X-Request-ID"] for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch("[0-9a-f]{12}", found) for found in ids)


# CORS


@pytest.mark.row("WB-06")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/token", 401), ("POST", "/revoke", 500), ("GET", "/userinfo", 200), ("PUT", "/token", 405)],
)
def test_scripts_of_a_registered_app_can_read_answers_and_errors_alike(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = get(client, path, method, Origin=SPA)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == SPA
    assert response.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate, Retry-After"
    assert "Origin" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.row("WB-06")
@pytest.mark.parametrize("origin", EVIL_ORIGINS)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_origins_can_read_nothing(client: FlaskClient, method: str, origin: str) -> None:
    response = get(client, "/token", method, Origin=origin, Access_Control_Request_Method="POST")
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118
    assert "Origin" in response.headers["Vary"], "or a cache would give this answer to a registered app"


@pytest.mark.row("WB-06", "AR-21")
@pytest.mark.parametrize("path", ["/authorize", "/login", "/introspect", "/static/style.css", "/nowhere", "/healthz"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_and_the_authorization_endpoint_share_nothing_with_any_origin(
    client: FlaskClient, method: str, path: str
) -> None:
    response = get(client, path, method, Origin=SPA, Access_Control_Request_Method="GET")
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
    response = get(client, path, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
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
    monkeypatch.setattr(headers.time, "monotonic", lambda: clock[0])
    headers.use_origin_lookup(app, lambda origin: bool(asked.append(origin)) or True)  # type: ignore[func-returns-value]
    for origin in [SPA, SPA, "null", "https://a b", ""]:
        get(client, "/token", "POST", Origin=origin)
    assert asked == [SPA]
    clock[0] += headers.ORIGIN_CACHE_SECONDS + 1
    get(client, "/token", "POST", Origin=SPA)
    assert asked == [SPA, SPA]


def test_when_the_lookup_fails_the_last_answer_serves(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(origin: str) -> bool:
        raise RuntimeError("the database is away")

    get(client, "/userinfo", Origin=SPA)
    headers.use_origin_lookup(app, fail)
    known_since = headers.time.monotonic()
    monkeypatch.setattr(headers.time, "monotonic", lambda: known_since + 2 * headers.ORIGIN_CACHE_SECONDS)
    assert get(client, "/userinfo", Origin=SPA).headers["Access-Control-Allow-Origin"] == SPA
    stranger = get(client, "/userinfo", Origin="https://stranger.example")
    assert stranger.status_code == 200
    assert "Access-Control-Allow-Origin" not in stranger.headers


# Host and path


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
    response = get(client, "/login", X_Forwarded_Host="evil.example", Forwarded="host=evil.example")
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


@pytest.mark.row("HT-10", "WB-08")
@pytest.mark.parametrize(
    "path",
    [
        "//userinfo",
        "/userinfo/",
        "/./userinfo",
        "/a/../userinfo",
        "/userinfo;x",
        "/userinfo/x.css",
        "/login;.js",
        "/userinfo%00",
        "/userinfo%2f.png",
    ]
    + [
        "/login/",
        "/static//style.css",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/login%5c",
        "/jwks.json/",
        "/USERINFO",
    ],
)
def test_a_path_that_is_not_exactly_ours_is_not_found_and_not_redirected(client: FlaskClient, path: str) -> None:
    response = client.get(path, base_url=ISSUER)
    assert response.status_code == 404
    assert "Location" not in response.headers
