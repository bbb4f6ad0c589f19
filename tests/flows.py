"""What tests do over and over: a browser that signs in, an app that asks for a code and redeems it."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oidc_server.clients import store as clients

VERIFIER = "a-code-verifier-of-exactly-forty-three-chars"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = "a-client-secret-for-tests-with-enough-entropy"


class Clock:
    """A clock that stands on now and moves when told to."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def register(client_id: str, **metadata: Any) -> str | None:
    """Register a client under a chosen identifier; answer its secret, if it has one, which secret_of() knows too."""
    registered = clients.create(
        {
            "client_name": f"The {client_id} app",
            "redirect_uris": [],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": "openid profile email address phone roles groups offline_access photos:read photos:write",
            **metadata,
        },
        client_id=client_id,
    )
    if registered.client_secret:
        SECRETS[client_id] = registered.client_secret
    return registered.client_secret


#: The secrets of the clients that the template holds, by client_id.
SECRETS: dict[str, str] = {}


def basic(client_id: str = "web", secret: str | None = None) -> dict[str, str]:
    """An Authorization header (RFC 6749 §2.3.1)."""
    value = f"{client_id}:{secret if secret is not None else SECRETS[client_id]}"
    return {"Authorization": "Basic " + base64.b64encode(value.encode()).decode()}


def machine_of(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


def base_url(app: Flask) -> str:
    return str(app.extensions["oidc_server"].settings.issuer)


@dataclass
class Browser:
    """A browser with cookies that fills in our forms as a person would."""

    app: Flask
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, url: str, **kwargs: Any) -> TestResponse:
        return self.client.get(url, base_url=base_url(self.app), **kwargs)

    def post(self, url: str, data: Any = None, **kwargs: Any) -> TestResponse:
        return self.client.post(url, data=data, base_url=base_url(self.app), **kwargs)

    def follow(self, response: TestResponse) -> TestResponse:
        """Follow redirects as long as they stay here."""
        while response.status_code in (302, 303) and is_ours(self.app, response.location):
            response = self.get(path_of(response.location))
        return response

    def submit(self, page: TestResponse, follow: bool = True, **values: str) -> TestResponse:
        """Submit the first form of a page with its hidden fields and these values."""
        action, fields = form_of(page.text)
        response = self.post(action, data=fields | values)
        return self.follow(response) if follow else response

    def sign_in(self, username: str = "alice", password: str = "correct horse battery staple") -> TestResponse:
        """Sign in without an app."""
        response = self.submit(self.get("/login"), username=username, password=password)
        assert response.status_code == 200, response.text
        return response

    def authorize(self, follow: bool = True, **parameters: Any) -> TestResponse:
        """Start an authorization request of the app `web` (or another); None leaves a parameter out."""
        response = self.get("/authorize?" + urlencode(request_of(**parameters), doseq=True))
        return self.follow(response) if follow else response

    def obtain_code(self, **parameters: Any) -> str:
        """Go through sign-in (as Alice) and consent to a code."""
        response = self.authorize(**parameters)
        if 'id="login-form"' in response.text:
            response = self.submit(response, username="alice", password="correct horse battery staple")
        if 'id="consent-allow"' in response.text:
            response = self.submit(response, decision="allow")
        assert response.status_code == 303, response.text
        answer = answer_of(response)
        assert "code" in answer, answer
        return answer["code"]

    def obtain_tokens(self, **parameters: Any) -> dict[str, Any]:
        """The tokens of the app `web`, or of another (client_id=...)."""
        code = self.obtain_code(**parameters)
        client_id = parameters.get("client_id", "web")
        response = redeem(
            self.app, code, client_id=client_id, redirect_uri=request_of(**parameters).get("redirect_uri")
        )
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json or {}
        return tokens


REDIRECT_URIS = {
    "web": "https://photos.example/callback",
    "other": "https://other.example/callback",
    "spa": "https://spa.example/callback",
}


def request_of(**parameters: Any) -> dict[str, Any]:
    """The parameters of a good authorization request, changed by these; None leaves one out."""
    client_id = parameters.get("client_id", "web")
    values = {
        "client_id": client_id,
        "redirect_uri": REDIRECT_URIS.get(str(client_id), REDIRECT_URIS["web"]),
        "response_type": "code",
        "scope": "openid profile email",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | parameters
    return {name: value for name, value in values.items() if value is not None}


def redeem(
    app: Flask, code: str, client_id: str = "web", headers: dict[str, str] | None = None, **changes: Any
) -> TestResponse:
    """Redeem a code at the token endpoint; None leaves a parameter out."""
    values = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URIS.get(client_id, REDIRECT_URIS["web"]),
        "code_verifier": VERIFIER,
    } | changes
    return token_request(app, client_id, headers, **values)


def refresh(
    app: Flask, refresh_token: str, client_id: str = "web", headers: dict[str, str] | None = None, **changes: Any
) -> TestResponse:
    return token_request(app, client_id, headers, grant_type="refresh_token", refresh_token=refresh_token, **changes)


def token_request(
    app: Flask, client_id: str = "web", headers: dict[str, str] | None = None, **values: Any
) -> TestResponse:
    """A request to the token endpoint by a client that authenticates as it registered (public clients by client_id)."""
    data = {name: value for name, value in values.items() if value is not None}
    if client_id in SECRETS:
        headers = headers if headers is not None else basic(client_id)
    else:
        data.setdefault("client_id", client_id)
    return machine_of(app).post("/token", data=data, headers=headers, base_url=base_url(app))


def post_as(app: Flask, path: str, client_id: str = "web", **values: Any) -> TestResponse:
    """POST to /introspect or /revoke as a confidential client."""
    return machine_of(app).post(path, data=values, headers=basic(client_id), base_url=base_url(app))


def introspect(app: Flask, token: str, client_id: str = "api") -> dict[str, Any]:
    response = post_as(app, "/introspect", client_id, token=token)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json or {}
    return found


def userinfo(app: Flask, access_token: str) -> TestResponse:
    return machine_of(app).get("/userinfo", headers={"Authorization": f"Bearer {access_token}"}, base_url=base_url(app))


def answer_of(response: TestResponse) -> dict[str, str]:
    """The parameters of an authorization response in the query of its redirect."""
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.location).query, keep_blank_values=True).items()
    }


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: for asserting on what was issued."""
    import json

    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def header_of(token: str) -> dict[str, Any]:
    import json

    header = token.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    return found


def form_of(html: str) -> tuple[str, dict[str, str]]:
    """Action and hidden fields of the first form of a page."""
    form = re.search(r"<form\b([^>]*)>(.*?)</form>", html, re.S)
    assert form, html
    action = re.search(r'action="([^"]*)"', form[1])
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", form[2]):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="hidden"' in tag:
            fields[unescape(name[1])] = unescape(value[1]) if value else ""
    return unescape(action[1]) if action else "", fields


def is_ours(app: Flask, location: str) -> bool:
    return location.startswith(("/", base_url(app)))


def path_of(location: str) -> str:
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def new_state() -> str:
    return secrets.token_urlsafe(16)
