"""Clients of every method, made for one test, and the two ways metadata come in.

One app serves a whole file here: what a test registers is deleted after it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey, OKPKey, RSAKey

from oidc_server import create_app
from oidc_server.clients import store
from oidc_server.clients.store import Registered

from .. import live
from ..conftest import settings_for

Register = Callable[..., Registered]

WEB = {"client_name": "Photo Harbour", "redirect_uris": ["https://photos.example/cb"]}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


def jwks_of(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict() for key in keys]}


@pytest.fixture(scope="module")
def shared_app(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("clients") / "server"
    shutil.copytree(template, folder)
    app = create_app(**settings_for(folder))
    yield app
    live.close(app)


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    with shared_app.app_context():
        before = {client.client_id for client in store.list_clients()}
    yield shared_app
    with shared_app.app_context():
        for client in store.list_clients():
            if client.client_id not in before:
                store.delete(client.client_id)


@pytest.fixture(params=["create", "update"])
def register(request: pytest.FixtureRequest, context: None) -> Register:
    """Bring metadata in as a new client, or as a change of one that is there: the checks are the same."""

    def create(**changes: Any) -> Registered:
        return store.create(WEB | changes)

    def update(**changes: Any) -> Registered:
        return store.update(store.create(WEB).client.client_id, changes)

    return create if request.param == "create" else update
