"""Headers that other software believes: here they sign nobody in, choose no address, method or route, and change no format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server import audit
from tests import flows
from tests.expectations import audited, expect_invalid_client, expect_page, expect_token_error, no_effect
from tests.flows import Browser

ME = "203.0.113.7"

#: Who a request is from, says a request; the User-Agents are those of load balancers (CVE-2026-34457).
BELIEVED_ELSEWHERE = [
    {"User-Agent": "Ping/1.0"},
    {"User-Agent": "GoogleHC/1.0"},
    {"User-Agent": "ELB-HealthChecker/2.0"},
    {"User-Agent": "kube-probe/1.30"},
    {"X-Forwarded-User": "alice", "X-Forwarded-Email": "alice@example.test", "X-Forwarded-Preferred-Username": "alice"},
    {"Remote-User": "alice", "X-Remote-User": "alice", "Remote_User": "alice", "X-Authenticated-User": "alice"},
    {"X-Auth-Request-User": "alice", "X-Auth-Request-Email": "alice@example.test", "X-Webauth-User": "alice"},
    {"X-Client-Cert": "CN=web", "X-SSL-Client-Verify": "SUCCESS", "SSL-Client-S-DN": "CN=web", "X-Client-Id": "web"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Client-IP": "::1"},
    {"X-Forwarded-Client-Cert": 'By=x;Hash=y;Subject="CN=web"', "X-Internal": "1", "X-Admin": "true", "X-Debug": "1"},
]
MOVING = [
    {"X-Original-URL": "/jwks.json", "X-Rewrite-URL": "/jwks.json"},
    {"X-Original-URI": "/userinfo", "X-Forwarded-Path": "/userinfo", "X-Forwarded-Prefix": "/evil"},
    {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"},
    {"X-Script-Name": "/evil", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
]
headers_of = pytest.mark.parametrize("headers", BELIEVED_ELSEWHERE, ids=lambda headers: next(iter(headers)))


@pytest.mark.row("HT-12")
@headers_of
def test_no_header_signs_a_person_in(app: Flask, headers: dict[str, str]) -> None:
    stranger = Browser(app)
    with no_effect(app):
        assert 'id="login-form"' in stranger.get("/login", headers=headers).text
        silent = stranger.authorize(prompt="none", follow=False)
        assert flows.answer_of(silent)["error"] == "login_required"
    response = stranger.get("/authorize", query_string=flows.request_of(), headers=headers)
    assert response.location.startswith("/login?transaction=")


@pytest.mark.row("HT-12")
@headers_of
def test_no_header_stands_for_a_client_or_a_token(app: Flask, machine: FlaskClient, headers: dict[str, str]) -> None:
    base = flows.base_url(app)
    form = {"grant_type": "client_credentials", "client_id": "api"}
    with no_effect(app):
        expect_invalid_client(machine.post("/token", data=form, headers=headers, base_url=base), used_header=False)
        for path in ("/introspect", "/revoke"):
            answer = machine.post(path, data={"token": "x", "client_id": "web"}, headers=headers, base_url=base)
            expect_invalid_client(answer, used_header=False)
        assert machine.get("/userinfo", headers=headers, base_url=base).status_code == 401
        assert (
            machine.get("/userinfo", headers=headers | {"Authorization": "Bearer x"}, base_url=base).status_code == 401
        )


@pytest.mark.row("HT-12", "BF-07")
@headers_of
def test_the_address_in_the_audit_line_is_the_one_that_called(
    app: Flask, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Browser(app)
    page = stranger.get("/login")
    action, fields = flows.form_of(page.text)
    stranger.post(
        action,
        fields | {"username": "alice", "password": "wrong"},
        headers=headers,
        environ_base={"REMOTE_ADDR": ME},
    )
    (line,) = audited(caplog, audit.SIGN_IN_FAILED)
    assert line["network"] == ME


@pytest.mark.row("HT-12", "BF-07")
def test_a_proxy_is_believed_only_when_it_is_ours(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(trusted_proxies="10.0.0.0/8")
    for number, (peer, expected) in enumerate([("10.1.2.3", "198.51.100.9"), (ME, ME)], start=1):
        stranger = Browser(app)
        action, fields = flows.form_of(stranger.get("/login").text)
        values = fields | {"username": "bob", "password": "wrong"}
        headers = {"X-Forwarded-For": "127.0.0.1, 198.51.100.9"}
        stranger.post(action, values, headers=headers, environ_base={"REMOTE_ADDR": peer})
        lines = audited(caplog, audit.SIGN_IN_FAILED)
        assert len(lines) == number
        assert lines[-1]["network"] == expected


@pytest.mark.row("HT-12")
@pytest.mark.parametrize("headers", MOVING, ids=lambda headers: next(iter(headers)))
def test_no_header_chooses_the_route_or_the_method(app: Flask, alice: Browser, headers: dict[str, str]) -> None:
    with no_effect(app):
        assert 'id="login-form"' not in alice.get("/login", headers=headers).text
        assert alice.get("/nowhere", headers=headers).status_code == 404
        assert alice.get("/token", headers=headers).status_code == 405
        page = alice.get("/logout", headers=headers)
        assert 'id="logout-confirm"' in page.text
        assert "evil" not in page.text + str(page.headers)
        facts = alice.get("/.well-known/openid-configuration", headers=headers).json
        assert facts["issuer"] == "https://id.example.test"
        assert "evil" not in str(facts)


DEBUG = ["/console", "/metrics", "/debug", "/admin", "/.git", "/.git/config", "/.env", "/actuator", "/actuator/env"]
DEBUG += ["/server-status", "/swagger", "/openapi.json", "/graphql", "/phpinfo.php", "/robots.txt.bak", "/wsgi.py"]
DEBUG += ["/static", "/static/", "/static/../settings.py", "/static/..%2fsettings.py", "/static/%2e%2e/server.py"]
DEBUG += ["/static/.", "/static/nothing.css", "/keys", "/keys/keyring.json", "/instance/secret_key", "/oidc.sqlite3"]
DEBUG += ["/console?__debugger__=yes&cmd=resource&f=debugger.js", "/?__debugger__=yes&cmd=printpin&s=x", "/healthz/x"]


@pytest.mark.row("HT-16")
@pytest.mark.parametrize("path", DEBUG)
def test_there_is_no_back_door(app: Flask, alice: Browser, path: str) -> None:
    with no_effect(app):
        for method in ("GET", "POST", "TRACE"):
            response = alice.client.open(path, method=method, base_url=flows.base_url(app))
            assert response.status_code in ((404,) if method == "GET" else (404, 405)), method
            expect_no_names(response)


@pytest.mark.row("HT-16")
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_what_goes_wrong_inside_stays_inside(
    app: Flask, alice: Browser, machine: FlaskClient, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("canary at /srv/secret/place.py")

    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("oidc_server.sessions.store.cookies.read", fail)
    monkeypatch.setattr(type(app.extensions["oidc_server"].keyring), "published", fail)
    page = alice.get("/login", headers={"Accept": accept})
    expect_page(page, "server_error", status=500, never=("canary", "RuntimeError", "place.py"))
    answer = machine.get("/jwks.json", headers={"Accept": accept}, base_url=flows.base_url(app))
    expect_token_error(answer, "server_error", status=500)
    for response in (page, answer):
        expect_no_names(response)


def expect_no_names(response: TestResponse) -> None:
    """No names and versions of what we are built of, no traceback, no path of a file."""
    assert response.headers["Server"] == "oidc"
    assert not {"X-Powered-By", "X-Runtime", "X-Version", "Via", "X-AspNet-Version"} & set(response.headers.keys())
    for word in (
        "Traceback",
        "werkzeug",
        "Werkzeug",
        "Flask",
        "Python/",
        "granian",
        "site-packages",
        'File "',
        "canary",
    ):
        assert word not in response.text + str(response.headers), word


@pytest.mark.row("HT-16")
def test_nobody_else_put_a_route_here(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        module = app.view_functions[rule.endpoint].__module__
        assert module.startswith("oidc_server.") or rule.rule == "/static/<path:filename>", (
            f"{rule} comes from {module}"
        )


ACCEPT = ["image/*", "image/png", "text/html", "application/xml", "text/html;q=1, */*;q=0", "nonsense", "", "*/*;q=0"]


@pytest.mark.row("HT-17")
@pytest.mark.parametrize("accept", ACCEPT)
def test_machines_are_answered_in_json_whatever_they_say_they_accept(
    app: Flask, alice: Browser, machine: FlaskClient, accept: str
) -> None:
    base, headers = flows.base_url(app), {"Accept": accept}
    code = alice.obtain_code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": flows.REDIRECT_URIS["web"]}
    form |= {"code_verifier": flows.VERIFIER}
    token = machine.post("/token", data=form, headers=headers | flows.basic(), base_url=base)
    bearer = {"Authorization": f"Bearer {token.json['access_token']}"}
    answers = [
        token,
        machine.get("/userinfo", headers=headers | bearer, base_url=base),
        machine.post("/introspect", data={"token": "x"}, headers=headers | flows.basic("api"), base_url=base),
        *(
            machine.get(path, headers=headers, base_url=base)
            for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks.json")
        ),
        machine.get("/healthz", headers=headers, base_url=base),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.request.path
        assert answer.mimetype in ("application/json", "application/jwk-set+json"), answer.request.path
        assert isinstance(answer.json if answer.is_json else answer.get_json(force=True), dict)
    refused = [
        (machine.post("/token", data=form, headers=headers | flows.basic(), base_url=base), 400),
        (machine.post("/token", data=form, headers=headers, base_url=base), 401),
        (machine.post("/introspect", data={"token": "x"}, headers=headers, base_url=base), 401),
        (machine.post("/revoke", data={}, headers=headers | flows.basic(), base_url=base), 400),
        (machine.get("/userinfo", headers=headers, base_url=base), 401),
        (machine.get("/token", headers=headers, base_url=base), 405),
    ]
    for answer, status in refused:
        expect_token_error(answer, answer.json["error"], status=status)
