"""POST /revoke: a client gives a token back, and the whole grant ends with it. RFC 7009."""

from __future__ import annotations

from typing import Any, ClassVar

from authlib.oauth2 import rfc7009
from flask import Blueprint, Flask, Response

from .. import audit
from ..clients.authentication import METHODS, SIGNING_ALGORITHMS
from ..database import transact
from ..errors import ProtocolError
from ..server import AuthorizationServer, current_server
from ..tokens import AccessToken, InvalidToken, bearer, families, refresh_token, verify

blueprint = Blueprint("revocation", __name__)


class RevocationEndpoint(rfc7009.RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Authlib's endpoint. Whatever the token was, the answer is 200: nothing is told about other people's tokens (§2.2)."""

    CLIENT_AUTH_METHODS: ClassVar[list[str]] = list(METHODS)

    def create_endpoint_response(self, request: Any) -> tuple[int, Any, list[tuple[str, str]]]:
        client = self.authenticate_endpoint_client(request)
        text = request.form.get("token")
        if text is None:
            raise ProtocolError("invalid_request", "The token is missing.")
        if parsed := refresh_token.parse(text):
            _revoke_refresh_token(parsed, text, client)
        else:
            _revoke_access_token(text, client)
        return 200, b"", []


def _revoke_refresh_token(parsed: refresh_token.RefreshToken, text: str, client: Any) -> None:
    family = families.find(parsed.family_id)
    if family is None or family.client_id != client.client_id:
        return
    # Any generation that was ours will do: a client that lost an answer holds the previous one.
    if parsed.is_ours or refresh_token.hash_of(text) == family.refresh_hash:
        transact(lambda: families.revoke(family.id, "revoked by the client"))


def _revoke_access_token(text: str, client: Any) -> None:
    try:
        token = verify(text)
    except InvalidToken:
        return
    if token.claims["client_id"] == client.client_id:
        transact(lambda: _end(token))


def _end(token: AccessToken) -> None:
    if token.standing is not None:
        families.revoke(token.standing.family_id, "revoked by the client")
        return
    # Nothing stored stands behind a client's own token, so its jti is remembered until it would have ended.
    current_server.storage.put_once(bearer.REVOKED_KIND, token.claims["jti"], {}, float(token.claims["exp"]))
    audit.record(audit.TOKEN_REVOKED, client_id=token.claims["client_id"], jti=token.claims["jti"])


@blueprint.post("/revoke")
def revoke() -> Response:
    """The revocation endpoint (RFC 7009 §2)."""
    response: Response = current_server.create_endpoint_response("revocation")
    return response


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.register_endpoint(RevocationEndpoint)
    server.advertise(
        revocation_endpoint=server.settings.url("/revoke"),
        revocation_endpoint_auth_methods_supported=list(METHODS),
        revocation_endpoint_auth_signing_alg_values_supported=list(SIGNING_ALGORITHMS),
    )
