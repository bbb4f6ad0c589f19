"""An agent on Alice's machine with the MCP SDK's OAuth client, and a protected resource for it to call."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio.to_thread
import httpx2
import jwt
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthTokenError
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from .person import Person

__all__ = ["REGISTERED", "Agent", "OAuthFlowError", "OAuthTokenError", "Tools"]

#: Of a tool on the person's own machine: any port will do (RFC 8252 §7.3).
REGISTERED = "http://127.0.0.1/callback"
CALLBACK = "http://127.0.0.1:53682/callback"


class Tools(ThreadingHTTPServer):
    """A protected resource at /mcp, with the metadata of RFC 9728; the second scope is for POST."""

    daemon_threads = True

    def __init__(self, issuer: str) -> None:
        super().__init__(("127.0.0.1", 0), ToolsHandler)
        self.issuer = issuer
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.identifier = f"{self.origin}/mcp"
        self.metadata_url = f"{self.origin}/.well-known/oauth-protected-resource/mcp"
        self.keys = jwt.PyJWKClient(f"{issuer}/jwks.json")
        #: The claims of the tokens it was sent.
        self.seen: list[dict[str, Any]] = []


class ToolsHandler(BaseHTTPRequestHandler):
    server: Tools

    def do_GET(self) -> None:
        if self.server.origin + self.path == self.server.metadata_url:
            metadata = {"resource": self.server.identifier, "authorization_servers": [self.server.issuer]}
            return self._answer(200, metadata)
        return self._serve("tools:list")

    def do_POST(self) -> None:
        self._serve("tools:call")

    def _serve(self, scope: str) -> None:
        if self.path != "/mcp":
            return self._answer(404, {})
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return self._challenge(401, f'scope="{scope}"')
        try:
            key = self.server.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key, algorithms=["RS256"], audience=self.server.identifier, issuer=self.server.issuer
            )
        except jwt.PyJWTError:
            return self._challenge(401, f'error="invalid_token", scope="{scope}"')
        self.server.seen.append(claims)
        if scope not in claims["scope"].split():
            return self._challenge(403, f'error="insufficient_scope", scope="{scope}"')
        return self._answer(200, {"sub": claims["sub"]})

    def _challenge(self, status: int, parameters: str) -> None:
        challenge = f'Bearer {parameters}, resource_metadata="{self.server.metadata_url}"'
        self._answer(status, {}, {"WWW-Authenticate": challenge})

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        given = {"Content-Type": "application/json", "Content-Length": str(len(encoded))}
        for name, value in (given | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests look at `seen`."""


class Remembered:
    """The SDK's TokenStorage, of an app that was registered beforehand."""

    def __init__(self, registration: OAuthClientInformationFull) -> None:
        self.registration = registration
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull:
        return self.registration

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError("an app that is registered must not register again")


class Agent:
    """An app that calls the tools, with Alice beside it.

    `asked` are the authorization requests she was sent with, `fetched` what the app itself asked for; `changes` are made to
    the answers on their way back.
    """

    def __init__(self, tools: Tools, alice: Person, client_id: str, method: str, secret: str) -> None:
        self.tools = tools
        self.alice = alice
        self.memory = Remembered(
            OAuthClientInformationFull(
                client_id=client_id,
                client_secret=secret or None,
                token_endpoint_auth_method=method,
                redirect_uris=[CALLBACK],
            )
        )
        self.asked: list[dict[str, str]] = []
        self.fetched: list[str] = []
        self.changes: dict[str, str | None] = {}
        self.provider = OAuthClientProvider(
            tools.identifier,
            OAuthClientMetadata(client_name="Agent", redirect_uris=[CALLBACK]),
            self.memory,
            redirect_handler=self._open,
            callback_handler=self._called_back,
        )

    async def _open(self, url: str) -> None:
        self.asked.append(dict(parse_qsl(urlsplit(url).query)))
        self._answer = await anyio.to_thread.run_sync(self.alice.visit, url)

    async def _called_back(self) -> AuthorizationCodeResult:
        assert self._answer.startswith(f"{CALLBACK}?"), self._answer
        return AuthorizationCodeResult.model_validate(dict(parse_qsl(urlsplit(self._answer).query)) | self.changes)

    def call(self, verb: str = "GET", times: int = 1) -> httpx2.Response:
        async def note(request: httpx2.Request) -> None:
            self.fetched.append(str(request.url))

        async def run() -> httpx2.Response:
            async with httpx2.AsyncClient(auth=self.provider, event_hooks={"request": [note]}) as client:
                for _ in range(times - 1):
                    await client.request(verb, self.tools.identifier)
                return await client.request(verb, self.tools.identifier)

        return anyio.run(run)
