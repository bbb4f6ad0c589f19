"""A running server with Alice and an API, for clients that others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.resources import store as resources
from tests.live import LiveServer

PASSWORD = "correct horse battery staple"
CALLBACK = "https://photos.example/callback"
BYE = "https://photos.example/bye"
ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
API = "https://api.photos.example/"
SCOPE = "openid profile email offline_access photos:read photos:write"


class Site(LiveServer):
    """A server of one worker over SQLite; `register()` gives an app its identifier and its secret, if it has one."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        with self.app.app_context():
            self.alice = accounts.create(
                username="alice",
                email="alice@example.test",
                password=PASSWORD,
                email_verified=True,
                claims={"name": "Alice Liddell", "given_name": "Alice", "family_name": "Liddell"},
            ).id
            self.protect(API, {"photos:read": "See your photos", "photos:write": "Add photos"})

    def register(self, client_id: str, **metadata: Any) -> str:
        """Register an app; answer its secret, or nothing for one that has none."""
        document = {
            "client_name": f"The {client_id} app",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [BYE],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": SCOPE,
        }
        with self.app.app_context():
            return clients.create(document | metadata, client_id=client_id).client_secret or ""

    def register_machine(self, client_id: str, **metadata: Any) -> str:
        """Register a client that speaks for itself."""
        alone = {"grant_types": ["client_credentials"], "redirect_uris": [], "post_logout_redirect_uris": []}
        return self.register(client_id, **alone | metadata)

    def protect(self, identifier: str, scopes: dict[str, str], **options: Any) -> None:
        """Register a protected resource; the client `api` may introspect what is meant for it."""
        with self.app.app_context():
            resources.create(identifier, "Photo API", scopes, introspection_client_ids=["api"], **options)

    def flask(self, *arguments: str, given: str = "") -> str:
        """Run a `flask` command over the same database and keys, and answer what it printed."""
        ran = self.app.test_cli_runner().invoke(args=arguments, input=given)
        assert ran.exit_code == 0, ran.output
        return str(ran.stdout)
