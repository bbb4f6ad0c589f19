"""GET and POST /logout, the page /logged-out, `flask accounts sign-out`. OpenID Connect RP-Initiated Logout 1.0."""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import commands as commands  # puts sign-out among `flask accounts`
from .views import blueprint


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.advertise(end_session_endpoint=server.settings.url("/logout"))
