"""An app that is written with openid-client and runs in a program of its own."""

from __future__ import annotations

import json
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests import flows

from .node_program import NodeProgram
from .person import Person
from .site import BYE, CALLBACK, Site

METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")


class OpenidApp:
    """One program that is one app after the other: the one that was connected last."""

    def __init__(self, site: Site, program: NodeProgram) -> None:
        self.site = site
        self.call = program.call

    def connect(self, client_id: str, method: str, **credential: Any) -> dict[str, Any]:
        """Be a registered client; answers the metadata of the server."""
        metadata: dict[str, Any] = self.call(
            "connect", issuer=self.site.url, client_id=client_id, method=method, **credential
        )
        return metadata

    def register(self, method: str = "client_secret_basic", **changes: Any) -> dict[str, Any]:
        """Be a new client that authenticates by this method; answers the metadata of the server."""
        if method == "private_key_jwt":
            return self.register_with_key("ES256", **changes)
        client_id = f"{method}-{flows.new_state()}"
        secret = self.site.register(client_id, token_endpoint_auth_method=method, **changes)
        return self.connect(client_id, method, secret=secret, metadata=expectations(changes))

    def register_with_key(self, algorithm: str, **changes: Any) -> dict[str, Any]:
        """Be a new client with a key of its own, registered as an operator does it on the command line."""
        key = make_key(algorithm)
        document = {
            "client_name": "The app with a key",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [BYE],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email offline_access photos:read",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": algorithm,
            "jwks": {"keys": [key.as_dict(private=False, kid="our-key", alg=algorithm)]},
        } | changes
        registered = json.loads(
            self.site.flask("clients", "create", "--metadata", "-", "--json", given=json.dumps(document))
        )
        assert "client_secret" not in registered
        return self.connect(
            registered["client_id"],
            "private_key_jwt",
            jwk=key.as_dict(private=True, kid="our-key"),
            algorithm=algorithm,
            metadata=expectations(changes),
        )

    def begin(self, **parameters: Any) -> str:
        """The link that sends a person to us."""
        link: str = self.call("begin", **{"redirect_uri": CALLBACK, "scope": "openid"} | parameters)
        return link

    def sign_in(self, alice: Person, **parameters: Any) -> dict[str, Any]:
        """The whole way of a code, from the app over Alice back to the app: the tokens, and the claims of the ID token."""
        called_back = alice.visit(self.begin(**{"scope": "openid profile email offline_access"} | parameters))
        tokens: dict[str, Any] = self.call("finish", url=called_back)
        return tokens


def make_key(algorithm: str) -> Key:
    if algorithm == "ES256":
        return ECKey.generate_key("P-256")
    return OKPKey.generate_key("Ed25519") if algorithm == "EdDSA" else RSAKey.generate_key(2048)


def expectations(changes: dict[str, Any]) -> dict[str, Any]:
    """What the library is told of the registration, and then insists on."""
    return {name: value for name, value in changes.items() if name == "id_token_signed_response_alg"}
