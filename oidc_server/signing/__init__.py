"""The keys that sign what the server issues, from first publishing to their end, and the JWKS (RFC 7517, 7518, 7638).

`keyring.py` is what the rest of the server uses; `rotation.py` holds the rules as pure functions; `changes.py` applies
them to a store. Knows no token and no client: what lives longer than the settings say tells `keyring.outlive()`.
Endpoint: GET /jwks.json.
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import views
from .commands import keys
from .key_set import KeySetView, UnsupportedAlgorithm
from .keyring import Keyring
from .keys import KeysUnusable
from .stores import STORES

__all__ = ["KeySetView", "Keyring", "KeysUnusable", "UnsupportedAlgorithm", "mount"]

#: Seconds between two looks at whether a rotation is due or a private key has served.
_UPKEEP_EVERY = 60.0


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Read the keys, making the first in an empty store, and publish them. Raises KeysUnusable."""
    keyring = Keyring(server.settings, STORES["files"](server.settings))
    keyring.start()
    server.keyring = keyring
    views.mount(app, server)
    app.cli.add_command(keys)
    server.advertise(
        jwks_uri=server.settings.url("/jwks.json"), id_token_signing_alg_values_supported=list(keyring.algorithms)
    )
    server.upkeep("keys.rotate", _UPKEEP_EVERY, keyring.upkeep)
