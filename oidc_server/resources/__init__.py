"""Protected resources: the APIs that access tokens are meant for, each with its identifier, scopes and lifetime (RFC 8707).

The server's own resource is its UserInfo endpoint; it exists without a row. Endpoints: none.
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from .commands import resources
from .models import ProtectedResource
from .store import IDENTITY_SCOPES, ROLES_SCOPE, InvalidTarget, choose, find, grantable

__all__ = [
    "IDENTITY_SCOPES",
    "ROLES_SCOPE",
    "InvalidTarget",
    "ProtectedResource",
    "choose",
    "find",
    "grantable",
    "mount",
]


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.cli.add_command(resources)
    server.advertise(scopes_supported=list(IDENTITY_SCOPES))
