"""GET /jwks.json: the public keys (RFC 7517 §5)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from ..edge import Document, publish
from ..server import AuthorizationServer

PATH = "/jwks.json"


def mount(app: Flask, server: AuthorizationServer) -> None:
    """The JWKS, to be cached for less time than a new key is published before it signs."""
    max_age = server.settings.jwks_max_age
    made = Document(b"", "", max_age)

    def current() -> Document:
        nonlocal made
        view = server.keyring.published()
        if view.etag != made.etag:
            made = Document(view.body, view.etag, max_age)
        return made

    blueprint = Blueprint("signing", __name__)

    @blueprint.get(PATH)
    def jwks() -> Response:
        return current().response()

    app.register_blueprint(blueprint)
    publish(app, PATH, current)
