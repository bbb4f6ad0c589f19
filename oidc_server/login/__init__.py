"""GET and POST /login, /login/second-factor and /login/second-factor/new: where a person signs in. OIDC Core §3.1.2.3.

One file per method, each of which ends in completion.complete().
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import new_factor, passkey, password, second_factor
from .views import blueprint

#: The ways to sign in, in the order the page offers them.
METHODS = (password,)

__all__ = ["METHODS", "mount"]


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(second_factor.blueprint)
    app.register_blueprint(new_factor.blueprint)
    passkey.mount(app)
