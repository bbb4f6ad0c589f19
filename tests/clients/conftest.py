"""Clients of every method, made for one test, and the two ways metadata come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from oidc_server.clients import store
from oidc_server.clients.store import Registered

Register = Callable[..., Registered]

WEB = {"client_name": "Photo Harbour", "redirect_uris": ["https://photos.example/cb"]}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


def jwks_of(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict() for key in keys]}


@pytest.fixture(params=["create", "update"])
def register(request: pytest.FixtureRequest, context: None) -> Register:
    """Bring metadata in as a new client, or as a change of one that is there: the checks are the same."""

    def create(**changes: Any) -> Registered:
        return store.create(WEB | changes)

    def update(**changes: Any) -> Registered:
        return store.update(store.create(WEB).client.client_id, changes)

    return create if request.param == "create" else update
