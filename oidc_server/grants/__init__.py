"""POST /token: one file per grant, registered from GRANTS. RFC 6749 §3.2, §4, §6; RFC 7636; RFC 8707.

A request is read strictly, the client authenticated, the grant validated, what it brings spent and what it gives stored in one
transaction; only then does the answer leave.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from ..server import AuthorizationServer, current_server
from .authorization_code import AuthorizationCodeGrant
from .client_credentials import ClientCredentialsGrant
from .password import PasswordGrant
from .pkce import CodeChallenge
from .refresh_token import RefreshTokenGrant

GRANTS = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant, PasswordGrant)

blueprint = Blueprint("grants", __name__)


@blueprint.post("/token")
def token() -> Response:
    """The token endpoint (RFC 6749 §3.2)."""
    response: Response = current_server.create_token_response()
    return response


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    for grant in GRANTS:
        extensions = [CodeChallenge(required=True)] if grant is AuthorizationCodeGrant else None
        server.register_grant(grant, extensions)
    server.advertise(
        token_endpoint=server.settings.url("/token"),
        grant_types_supported=[str(grant.GRANT_TYPE) for grant in GRANTS],
        response_types_supported=sorted(AuthorizationCodeGrant.RESPONSE_TYPES),
        code_challenge_methods_supported=CodeChallenge.SUPPORTED_CODE_CHALLENGE_METHOD,
    )
