"""GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server: the sum of what was mounted.

OIDC Discovery §4, RFC 8414 §3. Nothing here is typed by hand: each feature advertises its own facts.
"""

from __future__ import annotations

import hashlib

import orjson
from flask import Blueprint, Flask, Response

from ..edge import Document, publish
from ..server import AuthorizationServer

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
#: Long enough to spare requests, short enough that a changed server is seen soon (seconds).
_MAX_AGE = 300


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Mounted last: the document is made here, once, of what everybody advertised."""
    body = orjson.dumps({"issuer": server.settings.issuer, **dict(sorted(server.metadata.items()))})
    document = Document(body, hashlib.sha256(body).hexdigest()[:32], _MAX_AGE)
    blueprint = Blueprint("discovery", __name__)

    @blueprint.get(PATHS[0])
    @blueprint.get(PATHS[1])
    def metadata() -> Response:
        """The metadata document, the same bytes for everybody."""
        return document.response()

    app.register_blueprint(blueprint)
    for path in PATHS:
        publish(app, path, lambda: document)
