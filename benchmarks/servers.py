"""The two servers that are measured, pinned to one core: ours over a real database, node-oidc-provider in memory."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import time
from base64 import b64encode
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import requests

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.resources import store as resources
from oidc_server.serve import server_command
from tests.live import LiveServer, free_port

from .pairs import Pair

HERE = Path(__file__).resolve().parent
SERVER_CORE, LOAD_CORE = "0", "1"
CALLBACK = "https://photos.example/callback"
API = "https://api.photos.example/"
PASSWORD = "correct horse battery staple"


def basic(client_id: str, client_secret: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()


class Target:
    """A server under load: where its endpoints are and how its app and its signed-in person come in."""

    name: str
    url: str
    authorize_path: str
    token_path = "/token"
    authorization: str
    api_authorization: str = ""
    client_id: str
    cookie: str

    #: node-oidc-provider gives a refresh token with this scope alone.
    scope = "openid profile photos:read"

    def authorize_query(self, scope: str = "", resource: str = API) -> str:
        """Everything of an authorization request but the challenge, which comes last."""
        return (
            f"?client_id={self.client_id}&redirect_uri={quote(CALLBACK, safe='')}&response_type=code&scope={quote(scope or self.scope)}"
            + (f"&resource={quote(resource, safe='')}" if resource else "")
            + "&state=state&nonce=nonce&code_challenge_method=S256&code_challenge="
        )

    def tokens(self, pair: Pair, **asked: str) -> dict[str, str]:
        """The tokens of one code flow of the person whose cookie we have. Raises RuntimeError with what came instead."""
        url = self.url + self.authorize_path + self.authorize_query(**asked) + pair.challenge
        answer = requests.get(url, headers={"Cookie": self.cookie}, allow_redirects=False, timeout=10)
        found = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if "code" not in found:
            raise RuntimeError(f"{self.name} gave no code: {answer.status_code} {answer.headers} {answer.text[:500]}")
        form = {"code": found["code"][0], "redirect_uri": CALLBACK, "code_verifier": pair.verifier}
        return self.token(grant_type="authorization_code", **form)

    def token(self, **form: str) -> dict[str, str]:
        answer = requests.post(
            self.url + self.token_path, data=form, headers={"Authorization": self.authorization}, timeout=10
        )
        if answer.status_code != 200:
            raise RuntimeError(f"{self.name} gave no token: {answer.status_code} {answer.text[:500]}")
        found: dict[str, str] = answer.json()
        return found


class Ours(Target, LiveServer):
    """The command of `make serve` with one worker, over SQLite or PostgreSQL, with rate limits lifted."""

    authorize_path = "/authorize"

    def __init__(self, folder: Path, database_url: str | None = None, workers: int = 1) -> None:
        self.name = "PostgreSQL" if database_url else "SQLite"
        super().__init__(
            folder, workers=workers, database_url=database_url, environment="development", log_level="ERROR"
        )
        with self.app.app_context():
            accounts.create(
                username="alice", email="alice@example.test", password=PASSWORD, claims={"name": "Alice Liddell"}
            )
            resources.create(API, "Photo API", {"photos:read": "See your photos"}, introspection_client_ids=["api"])
            common = {"client_name": "Photos", "scope": "openid profile offline_access photos:read"}
            self.client_id = "photos"
            self.authorization = self._register(
                self.client_id,
                common
                | {
                    "redirect_uris": [CALLBACK],
                    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
                    "response_types": ["code"],
                },
            )
            api = {
                "client_name": "API",
                "redirect_uris": [],
                "grant_types": ["client_credentials"],
                "response_types": [],
            }
            self.api_authorization = self._register("api", api)

    def _register(self, client_id: str, metadata: dict[str, object]) -> str:
        return basic(client_id, clients.create(metadata, client_id=client_id, is_trusted=True).client_secret or "")

    def command(self) -> list[str]:
        settings = replace(self.app.extensions["oidc_server"].settings, workers=self.workers)
        return ["taskset", "-c", SERVER_CORE, *server_command(settings)]

    def start(self, seconds: float = 20) -> Ours:
        super().start(seconds)
        self.sign_in()
        return self

    def sign_in(self) -> requests.Response:
        """Alice signs in; her cookies are kept."""
        browser, values = self.form()
        answer = self.submit(browser, values)
        self.cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
        return answer

    def form(self, browser: requests.Session | None = None) -> tuple[requests.Session, dict[str, str]]:
        """A browser at the sign-in page, a new one if none is given, and what it is going to send."""
        browser = browser or requests.Session()
        form = browser.get(self.url + "/login", timeout=10).text
        token = re.search(r'name="csrf_token" value="([^"]*)"', form)
        assert token, form
        return browser, {"csrf_token": unescape(token[1]), "username": "alice", "password": PASSWORD}

    def submit(self, browser: requests.Session, values: dict[str, str]) -> requests.Response:
        """Send it. Raises RuntimeError when nobody is signed in."""
        answer = browser.post(self.url + "/login", data=values, timeout=20, allow_redirects=False)
        if answer.status_code != 303:
            raise RuntimeError(f"the sign-in failed: {answer.status_code} {answer.text[:500]}")
        return answer


class NodeProvider(Target):
    """node-oidc-provider with its memory store."""

    name = "node"
    authorize_path = "/auth"
    scope = "openid profile offline_access photos:read"

    def __init__(self, folder: Path) -> None:
        self.client_id, secret = "photos", secrets.token_urlsafe(32)
        self.authorization = basic(self.client_id, secret)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._log = (folder / "node.log").open("wb")
        self._command = ["taskset", "-c", SERVER_CORE, "node", "provider.mjs"]
        self._command += [str(self.port), self.client_id, secret, CALLBACK, API]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> NodeProvider:
        environ = os.environ | {"NODE_ENV": "production"}
        self.process = subprocess.Popen(
            self._command, cwd=HERE / "node", env=environ, stdout=self._log, stderr=self._log, start_new_session=True
        )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        browser = requests.Session()
        challenge = Pair.make().challenge
        url = self.url + self.authorize_path + self.authorize_query() + challenge
        for _ in range(10):
            if not url.startswith(self.url):
                break
            answer = browser.get(url, allow_redirects=False, timeout=10)
            if "Location" not in answer.headers:
                raise RuntimeError(f"node-oidc-provider did not sign in: {answer.status_code} {answer.text[:500]}")
            url = urljoin(url, answer.headers["Location"])
        self.cookie = "; ".join(
            f"{cookie.name}={cookie.value}" for cookie in browser.cookies if "_session" in cookie.name
        )
        return self

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        self._log.close()
