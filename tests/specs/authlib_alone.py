"""Authlib as it comes: the small server that its documentation describes, to see what the pinned version does by itself.

Its classes are used without a change of behaviour; only what they leave to be written (storage, people) is filled in, in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import OAuth2AuthorizationCodeMixin, OAuth2ClientMixin, OAuth2TokenMixin
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, OpenIDToken, UserInfo
from authlib.oidc.core.grants import OpenIDHybridGrant, OpenIDImplicitGrant
from flask import Flask, Response, request
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey

from tests.flows import basic

URL = "https://authlib.example"
CALLBACK = "https://photos.example/callback"
KEY = RSAKey.generate_key(2048)


@dataclass
class Person:
    id: str = "alice"

    def get_user_id(self) -> str:
        return self.id


class Client(OAuth2ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client with the metadata that the mixin keeps; never in a database."""

    def __init__(self, client_id: str, client_secret: str | None, **metadata: Any) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.set_client_metadata(
            {
                "redirect_uris": [CALLBACK],
                "grant_types": ["authorization_code", "refresh_token", "password", "client_credentials"],
                "response_types": ["code", "token", "id_token", "id_token token", "code id_token"],
                "scope": "openid profile email",
            }
            | metadata
        )


class Code(OAuth2AuthorizationCodeMixin):  # type: ignore[misc]
    auth_time = 0


class Token(OAuth2TokenMixin):  # type: ignore[misc]
    access_token_revoked_at = refresh_token_revoked_at = expires_in = 0
    refresh_token = None


@dataclass
class Alone:
    """The server, what it stores, and a way to talk to it."""

    app: Flask
    server: Any
    clients: dict[str, Client]
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)

    @property
    def browser(self) -> FlaskClient:
        return self.app.test_client(use_cookies=False)

    def authorize(self, **parameters: Any) -> Any:
        values = {
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": "a-state",
        } | parameters
        query = {name: value for name, value in values.items() if value is not None}
        return self.browser.get("/authorize", query_string=query, base_url=URL)

    def code(self, **parameters: Any) -> str:
        response = self.authorize(**parameters)
        assert "code=" in response.location, response.location
        return str(response.location.split("code=")[1].split("&")[0])

    def token(self, client_id: str = "web", secret: str | None = "secret", path: str = "/token", **values: Any) -> Any:
        headers = basic(client_id, secret) if secret is not None else None
        data = {"grant_type": "authorization_code", "redirect_uri": CALLBACK} | values
        if secret is None:
            data.setdefault("client_id", client_id)
        return self.browser.post(path, data=data, headers=headers, base_url=URL)


def alone(
    *extensions: Any,
    challenge: Any = None,
    registered: Iterable[type] = (),
    config: dict[str, Any] | None = None,
    token_extensions: Sequence[Any] = (),
    grant: dict[str, Any] | None = None,
) -> Alone:
    """An app with the clients `web` and `spa`; `registered` are more grants, `grant` attributes of those that are here."""
    app = Flask("authlib_alone")
    app.config.update(config or {"OAUTH2_REFRESH_TOKEN_GENERATOR": True})
    clients = {
        "web": Client("web", "secret", token_endpoint_auth_method="client_secret_basic"),
        "spa": Client("spa", None, token_endpoint_auth_method="none"),
    }
    made = Alone(app, AuthorizationServer(), clients)
    made.server.init_app(app, query_client=clients.get, save_token=lambda token, request: _save(made, token, request))
    attributes = {"alone": made, **(grant or {})}
    code_extensions = [challenge or CodeChallenge(required=True), Openid()]
    made.server.register_grant(type("Codes", (CodeGrant,), attributes), code_extensions)
    made.server.register_grant(type("Refreshing", (RefreshGrant,), attributes), list(token_extensions))
    made.server.register_grant(type("Passwords", (PasswordGrant,), attributes), list(token_extensions))
    made.server.register_grant(type("Machines", (grants.ClientCredentialsGrant,), {}))
    for one in registered:
        made.server.register_grant(type(one.__name__, (one,), attributes))
    for extension in extensions:
        made.server.register_extension(extension)
    _mount(made)
    return made


def _mount(made: Alone) -> None:
    @made.app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Response:
        try:
            consent = made.server.get_consent_grant(end_user=None if "nobody" in request.values else Person())
        except OAuth2Error as error:
            return made.server.handle_error_response(None, error)  # type: ignore[no-any-return]
        made.app.extensions["prompt"] = consent.prompt
        person = None if "deny" in request.values else Person()
        return made.server.create_authorization_response(grant_user=person, grant=consent)  # type: ignore[no-any-return]

    @made.app.post("/token")
    def token() -> Response:
        return made.server.create_token_response()  # type: ignore[no-any-return]

    @made.app.route("/endpoint/<name>", methods=["GET", "POST"])
    def endpoint(name: str) -> Response:
        return made.server.create_endpoint_response(name)  # type: ignore[no-any-return]


def _save(made: Alone, token: dict[str, Any], request: Any) -> None:
    stored = Token()
    for name, value in token.items():
        if name != "id_token":
            setattr(stored, name, value)
    stored.client_id, stored.issued_at = request.client.client_id, int(time.time())
    made.tokens.append(stored)


class Openid(OpenIDCode):  # type: ignore[misc]
    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def resolve_client_private_key(self, client: Any) -> Any:
        return KEY

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        return {"iss": URL, "aud": [client.client_id]}

    def generate_user_info(self, user: Any, scope: str) -> Any:
        return UserInfo(sub=user.id)


class OpenidOnRefresh(OpenIDToken):  # type: ignore[misc]
    resolve_client_private_key = Openid.resolve_client_private_key
    get_client_claims = Openid.get_client_claims
    generate_user_info = Openid.generate_user_info


class _Codes:
    alone: Alone

    def save_authorization_code(self, code: str, request: Any) -> None:
        stored = Code()
        stored.code, stored.client_id, stored.scope = code, request.client.client_id, request.scope
        stored.redirect_uri, stored.auth_time = request.payload.redirect_uri, int(time.time()) - 60
        stored.acr = stored.amr = None
        for name in ("nonce", "code_challenge", "code_challenge_method"):
            setattr(stored, name, request.payload.data.get(name))
        self.alone.codes[code] = stored


class CodeGrant(_Codes, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        found = self.alone.codes.get(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del self.alone.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> Person:
        return Person()


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    alone: Alone

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        found = [one for one in self.alone.tokens if one.refresh_token == refresh_token]
        return found[0] if found and not found[0].is_revoked() else None

    def authenticate_user(self, refresh_token: Token) -> Person:
        return Person()

    def revoke_old_credential(self, refresh_token: Token) -> None:
        if self.INCLUDE_NEW_REFRESH_TOKEN:
            refresh_token.refresh_token_revoked_at = int(time.time())


class PasswordGrant(grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
    def authenticate_user(self, username: str, password: str) -> Person | None:
        return Person() if password == "right" else None


class ImplicitGrant(OpenIDImplicitGrant):  # type: ignore[misc]
    exists_nonce = Openid.exists_nonce
    resolve_client_private_key = Openid.resolve_client_private_key
    get_client_claims = Openid.get_client_claims
    generate_user_info = Openid.generate_user_info


class HybridGrant(_Codes, OpenIDHybridGrant):  # type: ignore[misc]
    exists_nonce = Openid.exists_nonce
    resolve_client_private_key = Openid.resolve_client_private_key
    get_client_claims = Openid.get_client_claims
    generate_user_info = Openid.generate_user_info
