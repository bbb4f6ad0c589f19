"""The API itself: which request needs which scope, and what is answered when a token does not do (RFC 6750 §3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request

from .access_tokens import AccessTokens, InvalidToken, IssuerUnavailable

BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)  # RFC 6750 §2.1
SCOPES = {"photos:read": "See your photos", "photos:write": "Add photos for you"}
FIRST_PHOTOS = ("Fog at the north pier", "Cranes before sunrise", "The last ferry")

View = Callable[..., Any]


class Refused(Exception):
    """A request without a token that does; `error` is empty when it had none at all (RFC 6750 §3.1)."""

    def __init__(self, status: int, error: str = "", description: str = "", scope: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.parameters = {"error": error, "error_description": description, "scope": scope}


def requires(scope: str) -> Callable[[View], View]:
    """Let only requests through whose access token carries `scope`; its claims are then in `g.claims`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.claims = _verified_claims()
            if scope not in str(g.claims.get("scope", "")).split(" "):
                raise Refused(403, "insufficient_scope", f"This needs the scope {scope}.", scope)
            return view(*args, **kwargs)

        return guarded

    return guard


def _verified_claims() -> dict[str, Any]:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith("bearer"):
        raise Refused(401)
    bearer = BEARER.fullmatch(header)
    if bearer is None:
        raise Refused(400, "invalid_request", "The Authorization header must be: Bearer, a space, one token.")
    tokens: AccessTokens = current_app.extensions["access_tokens"]
    try:
        return tokens.verify(bearer[1])
    except InvalidToken as error:
        raise Refused(401, "invalid_token", str(error)) from None


def create_app(issuer: str, identifier: str) -> Flask:
    """The API under its identifier, an absolute URI such as http://localhost:8002/, for tokens of `issuer`."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.extensions["access_tokens"] = AccessTokens(issuer, identifier)
    metadata_url = identifier.rstrip("/") + "/.well-known/oauth-protected-resource"
    photos: dict[str, list[str]] = {}

    @app.get("/")
    def about() -> Response:
        return jsonify(name="Harbour API", resource=identifier, issuer=issuer, scopes=SCOPES, metadata=metadata_url)

    @app.get("/.well-known/oauth-protected-resource")
    def metadata() -> Response:
        """RFC 9728 §3: how a client that got a 401 finds out where tokens come from."""
        return jsonify(
            resource=identifier,
            resource_name="Harbour API",
            authorization_servers=[issuer],
            scopes_supported=list(SCOPES),
            bearer_methods_supported=["header"],
        )

    @app.get("/photos")
    @requires("photos:read")
    def list_photos() -> Response:
        return jsonify(owner=g.claims["sub"], photos=photos.get(g.claims["sub"], list(FIRST_PHOTOS)))

    @app.post("/photos")
    @requires("photos:write")
    def add_photo() -> tuple[Response, int]:
        body = request.get_json(silent=True)
        title = body.get("title") if isinstance(body, dict) else None
        if not isinstance(title, str) or not 1 <= len(title) <= 100:
            return jsonify(error="invalid_photo", error_description="Send JSON with a title."), 400
        own = photos.setdefault(g.claims["sub"], list(FIRST_PHOTOS))
        own.append(title)
        del own[:-20]
        return jsonify(title=title), 201

    @app.errorhandler(Refused)
    def refuse(refused: Refused) -> tuple[Response, int, dict[str, str]]:
        told = {name: value for name, value in refused.parameters.items() if value}
        parts = {"resource_metadata": metadata_url, **told}
        challenge = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        return jsonify(told), refused.status, {"WWW-Authenticate": f"Bearer {challenge}"}

    @app.errorhandler(IssuerUnavailable)
    def try_later(_error: IssuerUnavailable) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error="temporarily_unavailable"), 503, {"Retry-After": "5"}

    @app.after_request
    def keep_private(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app
