"""GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server: the sum of what was mounted.

OIDC Discovery §4, RFC 8414 §3. Nothing here is typed by hand: each feature advertises its own facts.
"""

from __future__ import annotations

import hashlib

import orjson
from flask import Blueprint, Flask, Response, request

from ..server import AuthorizationServer

#: Long enough to spare requests, short enough that a changed server is seen soon (seconds).
_MAX_AGE = 300


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Mounted last: the document is made here, once, of what everybody advertised."""
    body = orjson.dumps({"issuer": server.settings.issuer, **dict(sorted(server.metadata.items()))})
    etag = hashlib.sha256(body).hexdigest()[:32]
    blueprint = Blueprint("discovery", __name__)

    @blueprint.get("/.well-known/openid-configuration")
    @blueprint.get("/.well-known/oauth-authorization-server")
    def metadata() -> Response:
        """The metadata document, the same bytes for everybody."""
        response = Response(body, mimetype="application/json")
        response.set_etag(etag)
        response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
        response.make_conditional(request)
        return response

    app.register_blueprint(blueprint)
