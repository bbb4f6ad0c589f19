"""A client at the door: requests to the endpoints that ask who a client is."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from flask import Flask
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from oidc_server import database
from oidc_server.clients import store
from oidc_server.clients.store import Registered

from ..conftest import API, ISSUER
from ..flows import machine_of
from .conftest import EC, ED, RSA, WEB, jwks_of

#: Every endpoint that asks, with a request that is answered 200 once the client is known.
ENDPOINTS: dict[str, dict[str, str]] = {
    "/token": {"grant_type": "client_credentials", "scope": "photos:read", "resource": API},
    "/introspect": {"token": "x"},
    "/revoke": {"token": "x"},
}
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt", "none")
CONFIDENTIAL = METHODS[:-1]
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def make(app: Flask, method: str = "client_secret_basic", **metadata: Any) -> Registered:
    """Register a client of this method, a machine where the method allows it."""
    grants = ["authorization_code"] if method == "none" else ["authorization_code", "client_credentials"]
    with app.app_context():
        return store.create(
            WEB
            | {"token_endpoint_auth_method": method, "grant_types": grants, "scope": "openid photos:read"}
            | ({"jwks": jwks_of(RSA, EC, ED)} if method == "private_key_jwt" else {})
            | metadata
        )


def ask(app: Flask, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> TestResponse:
    return machine_of(app).post(path, data=ENDPOINTS[path] | form, headers=headers, base_url=ISSUER)


def basic(client_id: str, secret: str | None) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def assertion(
    made: Registered, *, key: Any = None, algorithm: str | None = None, header: Any = None, **changes: Any
) -> str:
    """A good client assertion, changed by these claims; None leaves one out."""
    client_id = made.client.client_id
    if key is None:
        key = OctKey.import_key(made.client_secret) if made.client_secret else RSA
    algorithm = algorithm or ("HS256" if isinstance(key, OctKey) else "RS256")
    now = int(database.now())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + 60,
    } | changes
    signed = f"{_b64({'alg': algorithm} | (header or {}))}.{_b64({k: v for k, v in claims.items() if v is not None})}"
    signature = JWSRegistry.algorithms[algorithm].sign(signed.encode(), key)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def asserted(token: str) -> dict[str, str]:
    return {"client_assertion_type": JWT_BEARER, "client_assertion": token}


def credentials(made: Registered) -> tuple[dict[str, str], dict[str, str]]:
    """The form fields and headers by which this client proves who it is."""
    client_id, secret = made.client.client_id, made.client_secret
    match made.client.token_endpoint_auth_method:
        case "client_secret_basic":
            return {}, basic(client_id, secret)
        case "client_secret_post":
            return {"client_id": client_id, "client_secret": str(secret)}, {}
        case "none":
            return {"client_id": client_id}, {}
    return asserted(assertion(made)), {}


def assert_unknown(response: TestResponse, *, with_header: bool = False) -> None:
    """CLI of the catalogue: one constant answer, a challenge only for those who used the header."""
    assert response.status_code == 401, response.text
    assert response.json == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) == with_header


def assert_invalid_request(response: TestResponse) -> None:
    assert response.status_code == 400, response.text
    assert response.json is not None and response.json["error"] == "invalid_request"


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
