"""The ground alone: headers, csrf and errors over a few views of their own, without database or features."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, make_response, redirect, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server import csrf, errors, headers, languages, settings, strict_form, themes
from oidc_server.server import AuthorizationServer

ISSUER = "https://id.example.test"
STATIC = settings.ROOT / "oidc_server" / "static"
TEMPLATES = settings.ROOT / "templates"

machines = Blueprint("machines", __name__)
pages = errors.Pages("pages", __name__)


def make_ground(**overrides: Any) -> Flask:
    """An app with the real ground modules; `overrides` are settings."""
    values = settings.load(
        {}, **{"environment": "testing", "issuer": ISSUER, "secret_key": "ground-" + "0123456789abcdef" * 3} | overrides
    )
    app = Flask("ground", template_folder=str(TEMPLATES), static_folder=str(STATIC), root_path=str(settings.ROOT))
    AuthorizationServer(app, values)
    headers.mount(app, values)
    csrf.mount(app, values)
    errors.mount(app)
    languages.mount(app, values)
    themes.mount(app, values)
    app.register_blueprint(machines)
    app.register_blueprint(pages)
    return app


def call(client: FlaskClient, path: str, method: str = "GET", base_url: str = ISSUER, **sent: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in sent.items()}
    return client.open(path, method=method, base_url=base_url, headers=named)


@machines.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    response = Response('{"issuer":"https://id.example.test"}', mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@machines.get("/jwks.json")
def jwks() -> Response:
    response = Response('{"keys":[]}', mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@machines.post("/token")
def token() -> Response:
    raise errors.ProtocolError("invalid_client", "Client authentication failed.", status=401)


@machines.post("/revoke")
def revoke() -> Response:
    raise RuntimeError("a fault")


@machines.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    return Response('{"sub":"1"}', mimetype="application/json")


@machines.post("/introspect")
def introspect() -> Response:
    return Response('{"active":false}', mimetype="application/json")


@machines.get("/healthz")
def healthz() -> Response:
    return Response("ok", mimetype="text/plain")


@pages.get("/authorize")
def authorize() -> Response:
    return redirect("https://photos.example/callback?code=1", code=303)  # type: ignore[return-value]


@pages.get("/login")
def login() -> Response:
    return make_response(f"<!doctype html><title>Sign in</title><form method=post>{csrf.csrf_field('login')}</form>")


@pages.post("/login")
def sign_in() -> Response:
    csrf.check(strict_form.read_page_form(request), "login")
    return make_response("<!doctype html><title>In</title>")


@pages.get("/broken")
def broken() -> Response:
    raise RuntimeError("a fault")
