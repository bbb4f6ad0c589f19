"""An OAuth 2.0 and OpenID Connect authorization server. This file is the map: it alone knows every part.

Ground: settings database (one_connection, statements, drivers) audit networks errors headers cors csrf strict_form inbound_jwt; above it
server (Authlib), responses, storage, rate_limits.
Knowledge: accounts clients resources signing, then sessions, parked_requests, tokens.
Answers, which never import one another: discovery login authorize grants userinfo introspection revocation logout health.
A feature is a folder with `mount(app, server)`; FEATURES is the order in which they are mounted.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from flask import Flask

from . import (
    account,
    accounts,
    activity,
    api,
    audit,
    authorize,
    clients,
    csrf,
    database,
    discovery,
    errors,
    factors,
    grants,
    headers,
    health,
    introspection,
    languages,
    login,
    logout,
    mail,
    migrations,
    rate_limits,
    recovery,
    registrations,
    resources,
    responses,
    revocation,
    sessions,
    settings,
    signing,
    signup,
    storage,
    themes,
    tokens,
    upkeep,
    userinfo,
)
from .application import Application
from .server import AuthorizationServer

#: Discovery comes last: it publishes what the others advertised.
FEATURES: tuple[ModuleType, ...] = (
    mail,
    accounts,
    clients,
    resources,
    signing,
    activity,
    factors,
    sessions,
    tokens,
    registrations,
    login,
    signup,
    recovery,
    authorize,
    grants,
    userinfo,
    introspection,
    revocation,
    logout,
    account,
    api,
    health,
    upkeep,
    discovery,
)


def create_app(**overrides: Any) -> Flask:
    """Make the app from the settings of this process; `overrides` are settings by name, for tests and embedding.

    Raises settings.SettingsError or signing.KeysUnusable with a sentence that names what to change.
    """
    values = settings.load(**overrides)
    app = Application(
        __name__,
        instance_path=str(values.instance_path),
        template_folder=str(settings.ROOT / "templates"),
        static_folder="static",
    )
    app.config.update(
        SECRET_KEY=values.derive_key("flask"), MAX_CONTENT_LENGTH=64 * 1024, TESTING=values.environment == "testing"
    )
    audit.configure(app, values.log_level)
    database.init_app(app, values)
    server = AuthorizationServer(app, values)
    headers.mount(app, values)
    csrf.mount(app, values)
    errors.mount(app)
    languages.mount(app, values)
    themes.mount(app, values)
    rate_limits.mount(app, values)
    storage.mount(server)
    responses.mount(server)
    migrations.mount(app)
    for feature in FEATURES:
        feature.mount(app, server)
    return app
