"""GET /jwks.json: the public keys (RFC 7517 §5)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ..server import current_server

blueprint = Blueprint("signing", __name__)


@blueprint.get("/jwks.json")
def jwks() -> Response:
    """The JWKS, to be cached for less time than a new key is published before it signs."""
    keyring, settings = current_server.keyring, current_server.settings
    published = keyring.published()
    response = Response(published.body, mimetype="application/json")
    response.cache_control.public = True
    response.cache_control.max_age = settings.jwks_max_age
    response.set_etag(published.etag)
    response.make_conditional(request)
    return response
