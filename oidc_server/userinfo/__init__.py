"""GET and POST /userinfo: what the person allowed the app to see. OIDC Core §5.3, RFC 6750."""

from __future__ import annotations

import orjson
from flask import Blueprint, Flask, Response, request

from .. import strict_form
from ..accounts.claims import claims_for
from ..errors import ProtocolError
from ..server import AuthorizationServer, current_server
from ..tokens import BEARER, AccessToken, InvalidToken, families, verify

blueprint = Blueprint("userinfo", __name__)


@blueprint.route("/userinfo", methods=["GET", "POST"], provide_automatic_options=False)
def userinfo() -> Response:
    """The claims of the scopes that were granted, and those asked for by name (OIDC Core §5.4, §5.5)."""
    token = _verified(_presented())
    if token.family is None or "openid" not in token.scope:
        raise _refusal(
            403, "insufficient_scope", "The access token was not issued for the scope openid.", scope="openid"
        )
    requested = families.authorization_of(token.family).claims.get("userinfo")
    claims = claims_for(token.family.account, set(token.scope), requested, client_id=token.family.client_id)
    claims["sub"] = token.family.account_id
    return Response(orjson.dumps(claims), mimetype="application/json")


def _presented() -> str:
    """The access token, from the header or the body (RFC 6750 §2.1, §2.2), never from both and never from the query (§2.3)."""
    authorization = request.headers.getlist("Authorization")
    if len(authorization) > 1:
        raise _refusal(400, "invalid_request", "More than one Authorization header was sent.")
    try:
        form = strict_form.read_form(request, may_be_empty=True) if request.method == "POST" else None
        if form is None:
            strict_form.require_no_query(request)
    except ProtocolError as error:
        raise _refusal(error.status_code, "invalid_request", error.description) from error
    posted = form.get("access_token") if form is not None else None
    if authorization and posted is not None:
        raise _refusal(400, "invalid_request", "The access token was sent in two ways.")
    if posted is not None:
        return posted
    if not authorization or not authorization[0][:6].lower() == "bearer":
        # No error code for a request without a token (RFC 6750 §3.1).
        raise ProtocolError(
            "invalid_token",
            "Send an access token.",
            status=401,
            headers={"WWW-Authenticate": f'Bearer realm="{current_server.settings.issuer}"'},
        )
    matched = BEARER.fullmatch(authorization[0])
    if matched is None:
        raise _refusal(
            400, "invalid_request", "The Authorization header must be Bearer, one space, and the access token."
        )
    return matched[1]


def _verified(text: str) -> AccessToken:
    try:
        return verify(text, audience=current_server.settings.userinfo_resource)
    except InvalidToken as error:
        raise _refusal(
            401,
            "invalid_token",
            "The access token has ended, was revoked, or is meant for another resource.",
            detail=str(error),
        ) from error


def _refusal(
    status: int, error: str, description: str, *, scope: str | None = None, detail: str | None = None
) -> ProtocolError:
    challenge = f'Bearer realm="{current_server.settings.issuer}", error="{error}", error_description="{description}"'
    if scope is not None:
        challenge += f', scope="{scope}"'
    return ProtocolError(error, description, status=status, headers={"WWW-Authenticate": challenge}, detail=detail)


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.advertise(userinfo_endpoint=server.settings.url("/userinfo"))
