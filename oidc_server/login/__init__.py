"""GET and POST /login: the page where a person signs in, one file per method. OIDC Core §3.1.2.3."""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import password
from .views import blueprint

#: The ways to sign in, in the order the page offers them.
METHODS = (password,)

__all__ = ["METHODS", "mount"]


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.advertise(acr_values_supported=sorted({method.ACR for method in METHODS}))
