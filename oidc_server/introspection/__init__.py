"""POST /introspect: whether a token is active, told only to those it is meant for. RFC 7662."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import rfc7662
from flask import Blueprint, Flask, Response

from ..clients.authentication import METHODS, SIGNING_ALGORITHMS
from ..database import now
from ..errors import ProtocolError
from ..resources import find
from ..server import AuthorizationServer, current_server
from ..tokens import InvalidToken, families, refresh_token, verify

blueprint = Blueprint("introspection", __name__)

#: A public client proves nothing about itself, so it may not ask (RFC 7662 §2.1).
AUTH_METHODS = [method for method in METHODS if method != "none"]


class IntrospectionEndpoint(rfc7662.IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Authlib's endpoint; a token that is not meant for the caller looks like one that does not exist."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def check_params(self, request: Any, client: Any) -> None:
        """A token_type_hint may be wrong or unknown: it only says where to look first (RFC 7662 §2.1)."""
        if "token" not in request.form:
            raise ProtocolError("invalid_request", "The token is missing.")

    def authenticate_token(self, request: Any, client: Any) -> dict[str, Any] | None:
        self.check_params(request, client)
        text = request.form["token"]
        return _refresh_token(text, client) if refresh_token.parse(text) else _access_token(text, client)

    def create_introspection_payload(self, token: dict[str, Any] | None) -> dict[str, Any]:
        return {"active": False} if token is None else {"active": True, **token}


def _access_token(text: str, client: Any) -> dict[str, Any] | None:
    try:
        token = verify(text)
    except InvalidToken:
        return None
    resource = find(token.claims["aud"])
    if resource is None or client.client_id not in resource.introspection_client_ids:
        return None
    payload = {**token.claims, "token_type": "Bearer"}
    if token.standing is not None:
        payload["username"] = token.standing.username
    return payload


def _refresh_token(text: str, client: Any) -> dict[str, Any] | None:
    """A refresh token is meant for nobody but the client that holds it."""
    parsed = refresh_token.parse(text)
    family = families.find(parsed.family_id) if parsed else None
    if family is None or family.client_id != client.client_id or not families.is_live(family):
        return None
    if family.refresh_hash != refresh_token.hash_of(text) or now() >= (family.refresh_expires_at or 0):
        return None
    return {
        "client_id": family.client_id,
        "sub": family.account_id,
        "scope": " ".join(families.authorization_of(family).scope),
        "iat": int(family.rotated_at or family.created_at),
        "exp": int(family.refresh_expires_at or 0),
        "iss": current_server.settings.issuer,
    }


@blueprint.post("/introspect")
def introspect() -> Response:
    """The introspection endpoint (RFC 7662 §2)."""
    response: Response = current_server.create_endpoint_response("introspection")
    return response


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.register_endpoint(IntrospectionEndpoint)
    server.advertise(
        introspection_endpoint=server.settings.url("/introspect"),
        introspection_endpoint_auth_methods_supported=AUTH_METHODS,
        introspection_endpoint_auth_signing_alg_values_supported=list(SIGNING_ALGORITHMS),
    )
