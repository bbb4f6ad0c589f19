"""GET and POST /logout, and the page /logged-out. OpenID Connect RP-Initiated Logout 1.0."""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from .views import blueprint


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.advertise(end_session_endpoint=server.settings.url("/logout"))
