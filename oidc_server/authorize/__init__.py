"""GET and POST /authorize, and the consent page at /consent. RFC 6749 §3.1, OIDC Core §3.1.2, RFC 9207, RFC 8707.

A request walks STEPS; a step that returns a response ends the walk. What a person has to do happens elsewhere and comes back here.
"""

from __future__ import annotations

from flask import Flask

from .. import languages
from ..server import AuthorizationServer
from .validation import PROMPT_CREATE, PROMPTS
from .views import blueprint


def mount(app: Flask, server: AuthorizationServer) -> None:
    app.register_blueprint(blueprint)
    server.advertise(
        authorization_endpoint=server.settings.url("/authorize"),
        prompt_values_supported=[*PROMPTS, PROMPT_CREATE] if server.settings.sign_up == "open" else list(PROMPTS),
        claims_parameter_supported=True,
        # Absent would mean true (OIDC Discovery §3).
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        ui_locales_supported=list(languages.SUPPORTED),
    )
