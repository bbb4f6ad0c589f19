"""Our own forms come from our own pages."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server import csrf, settings

from .ground import ISSUER, make_ground

HTTP = "http://localhost:8000"


@pytest.fixture
def app() -> Flask:
    return make_ground()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def open_form(client: FlaskClient, base_url: str = ISSUER) -> str:
    """The token on the sign-in page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login", base_url=base_url).text)
    assert found
    return found[1]


def send(client: FlaskClient, token: str | None, base_url: str = ISSUER, **sent: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in sent.items()}
    data = {"username": "mallory"} if token is None else {"csrf_token": token}
    return client.post("/login", base_url=base_url, data=data, headers=named)


def test_a_form_of_ours_comes_back(client: FlaskClient) -> None:
    token = open_form(client)
    assert send(client, token).status_code == 200
    assert send(client, token).status_code == 200, "a page that was reloaded or went back still works"


@pytest.mark.row("WB-09", "SE-01")
@pytest.mark.parametrize("token", [None, "", "x", "A" * 64, "A" * 63 + "é", "A" * 8000])
def test_without_a_token_of_ours_nothing_happens(client: FlaskClient, token: str | None) -> None:
    open_form(client)
    response = send(client, token)
    assert response.status_code == 403
    assert "This page was open too long" in response.text


@pytest.mark.row("SE-01")
def test_a_token_of_another_browser_is_refused(app: Flask, client: FlaskClient) -> None:
    attackers = app.test_client()
    token = open_form(attackers)
    open_form(client)
    assert send(client, token).status_code == 403
    assert send(app.test_client(), token).status_code == 403, "nor without a cookie"
    assert send(attackers, token).status_code == 200


@pytest.mark.row("WB-09")
def test_a_token_of_another_purpose_is_refused(app: Flask, client: FlaskClient) -> None:
    open_form(client)
    cookie = client.get_cookie("__Host-oidc_browser", domain="id.example.test")
    assert cookie
    with app.test_request_context(base_url=ISSUER, headers={"Cookie": f"__Host-oidc_browser={cookie.value}"}):
        consent, login = csrf.token("consent"), csrf.token("login")
    assert send(client, consent).status_code == 403
    assert send(client, login).status_code == 200


@pytest.mark.row("WB-09", "SE-01")
@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_form_that_another_site_sent_is_refused_even_with_a_token(client: FlaskClient, site: str) -> None:
    assert send(client, open_form(client), Sec_Fetch_Site=site).status_code == 403


@pytest.mark.row("WB-09", "SE-01")
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://id.example.test", f"{ISSUER}:444", f"{ISSUER}.evil.example", ISSUER + "/"],
)
def test_a_form_of_another_origin_is_refused_even_with_a_token(client: FlaskClient, origin: str) -> None:
    assert send(client, open_form(client), Origin=origin).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec_Fetch_Site": "same-origin", "Origin": "null"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": ISSUER},
        {"Origin": "null"},
    ],
)
def test_what_browsers_say_about_our_own_pages_is_accepted(client: FlaskClient, sent: dict[str, str]) -> None:
    assert send(client, open_form(client), **sent).status_code == 200


@pytest.mark.row("WB-09")
def test_a_body_that_forms_cannot_have_is_no_form(client: FlaskClient) -> None:
    token = open_form(client)
    for kind in ("text/plain", "application/json", "multipart/form-data"):
        response = client.post("/login", base_url=ISSUER, data=f"csrf_token={token}", headers={"Content-Type": kind})
        assert 400 <= response.status_code < 500


@pytest.mark.row("SE-03")
def test_the_cookie_is_bound_to_this_host_and_unreadable_to_scripts(client: FlaskClient) -> None:
    [cookie] = client.get("/login", base_url=ISSUER).headers.getlist("Set-Cookie")
    name, attributes = cookie.split("=", 1)[0], {part.strip().lower() for part in cookie.split(";")[1:]}
    assert name == "__Host-oidc_browser"
    assert {"secure", "httponly", "samesite=lax", "path=/", "max-age=31536000"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert len(cookie) < 4096
    value = cookie.split("=", 1)[1].split(";")[0]
    assert len(value) == 43, "256 bits"


def test_on_http_the_cookie_has_a_name_that_browsers_accept_there() -> None:
    client = make_ground(issuer=HTTP).test_client()
    [cookie] = client.get("/login", base_url=HTTP).headers.getlist("Set-Cookie")
    assert cookie.startswith("oidc_browser=")
    assert "Secure" not in cookie
    assert send(client, open_form(client, HTTP), HTTP, Origin=HTTP).status_code == 200


def test_a_browser_that_is_known_keeps_its_cookie(client: FlaskClient) -> None:
    open_form(client)
    assert "Set-Cookie" not in client.get("/login", base_url=ISSUER).headers
    assert "Set-Cookie" not in client.get("/healthz", base_url=ISSUER).headers


def test_an_answer_without_a_form_sets_no_cookie(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/authorize", base_url=ISSUER).headers


@pytest.mark.row("SE-04")
def test_a_cookie_that_comes_twice_counts_as_none(app: Flask) -> None:
    with app.test_request_context(base_url=ISSUER):
        first = csrf.browser_id()
    cookie = f"__Host-oidc_browser={first}"
    with app.test_request_context(base_url=ISSUER, headers={"Cookie": cookie}):
        assert csrf.browser_id() == first
    for twice in (f"{cookie}; {cookie}", f"__Host-oidc_browser={'A' * 43}; {cookie}"):
        with app.test_request_context(base_url=ISSUER, headers={"Cookie": twice}):
            assert csrf.browser_id() not in (first, "A" * 43)


@pytest.mark.row("SE-05")
@pytest.mark.parametrize(
    "value", ["", "short", "A" * 44, "A" * 8192, "<script>", "\x80\xff", "a b", "A" * 42 + "=", "%00" * 20]
)
def test_a_cookie_that_we_did_not_make_is_replaced(app: Flask, value: str) -> None:
    response = app.test_client().get("/login", base_url=ISSUER, headers={"Cookie": f"__Host-oidc_browser={value}"})
    assert response.status_code == 200
    assert "__Host-oidc_browser=" in response.headers["Set-Cookie"]


def test_no_two_pages_carry_the_same_token(client: FlaskClient) -> None:
    tokens = {open_form(client) for _ in range(5)}
    assert len(tokens) == 5, "a token that repeats could be guessed from the size of compressed pages"
    assert all(send(client, token).status_code == 200 for token in tokens)


def test_forms_that_were_open_survive_a_change_of_the_secret_key() -> None:
    old, new = "old-" + "0123456789abcdef" * 3, "new-" + "0123456789abcdef" * 3
    before, after, without = (
        make_ground(secret_key=old),
        make_ground(secret_key=new, secret_key_fallbacks=(old,)),
        make_ground(secret_key=new),
    )
    client = before.test_client()
    token = open_form(client)
    cookie = client.get_cookie("__Host-oidc_browser", domain="id.example.test")
    assert cookie
    for app, status in ((after, 200), (without, 403)):
        restarted = app.test_client()
        restarted.set_cookie("__Host-oidc_browser", cookie.value, domain="id.example.test")
        assert send(restarted, token).status_code == status


def test_the_refusal_is_on_record_without_the_token(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "oidc_server.audit")
    token = open_form(client)
    send(client, token, Sec_Fetch_Site="cross-site")
    assert '"event":"csrf.refused"' in caplog.text
    assert "another site" in caplog.text
    assert token not in caplog.text


def test_values_are_compared_in_constant_time() -> None:
    source = (settings.ROOT / "oidc_server" / "csrf.py").read_text("utf-8")
    assert "compare_digest(mac" in source
    assert not re.search(r"mac\s*[!=]=|[!=]=\s*(mac|_mac)", source)
