"""Applications: what is registered about them, and how they prove who they are.

RFC 7591 §2 (metadata), RFC 6749 §2, RFC 8252 §7, OpenID Connect Registration §2. Endpoints: none; `flask clients …`.
It knows nothing of accounts, tokens or resources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from authlib.oauth2.rfc6749 import OAuth2Request
from flask import Flask

from .. import cors
from ..server import AuthorizationServer
from . import authentication, store
from .commands import clients
from .models import Client

__all__ = ["Client", "authenticate_client", "mount"]

UPKEEP_SECONDS = 3600
# Seconds; a flood of invented origins then costs one query in that time.
_KEEP_ORIGINS = 10.0


def authenticate_client(request: OAuth2Request, methods: Sequence[str], endpoint: str) -> Client:
    """The client that sent a request, kept in it with its method. Raises ProtocolError invalid_client."""
    found = authentication.authenticate(request.form, request.headers, endpoint, methods, store.find_active)
    if found.secret is not None:
        store.note_use(found.secret)
    request.client = found.client
    request.auth_method = found.method
    return found.client


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Give the server its clients, and the terminal its commands."""
    server.use_client_lookup(store.find_active)
    server.use_client_authentication(authenticate_client)
    server.advertise(
        token_endpoint_auth_methods_supported=list(authentication.METHODS),
        token_endpoint_auth_signing_alg_values_supported=list(authentication.SIGNING_ALGORITHMS),
    )
    server.upkeep("ended client secrets", UPKEEP_SECONDS, store.purge_secrets)
    cors.use_origin_lookup(app, _origin_lookup())
    app.cli.add_command(clients)


def _origin_lookup() -> Callable[[str], bool]:
    """Whether an origin belongs to a registered client; all of them are read at once and kept briefly."""
    kept: tuple[float, frozenset[str]] = (-_KEEP_ORIGINS, frozenset())

    def is_registered(origin: str) -> bool:
        nonlocal kept
        if monotonic() - kept[0] >= _KEEP_ORIGINS:
            kept = (monotonic(), store.origins())
        return origin in kept[1]

    return is_registered
