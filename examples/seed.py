"""Migrates the database and puts the demo data of `make run` into it: two people, an API, three clients.

It may run any number of times: it makes what is missing and mends what differs. Passwords and secrets are
made once and kept in instance/development.json, readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
import sys
from typing import Any

from flask import Flask

from oidc_server import create_app
from oidc_server.accounts import store as accounts
from oidc_server.clients import secret
from oidc_server.clients import store as clients
from oidc_server.clients.registration_answer import document_of
from oidc_server.database import now, sqlite_file
from oidc_server.migrations.commands import current_revision
from oidc_server.resources import store as resources
from oidc_server.serve import server_command
from oidc_server.server import current_server
from oidc_server.settings import SettingsError

from . import state

WORDS = (  # noqa: SIM905 - words read better without quotes
    "amber anchor basin beacon bell breeze bridge canal cedar cliff cloud coral crane dawn dock dune ember fern "
    "ferry fjord fog garnet gull harbour hazel heron island ivory jetty kelp lagoon lantern linen lupin maple "
    "marble meadow mist moss oak olive opal otter pebble pier plum quay rain reed ripple river sail sand shell "
    "slate spruce stone storm swan tide timber violet wave willow"
).split()

SCOPES = {"photos:read": "See your photos", "photos:write": "Add photos for you"}

PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {
        "email": "alice@example.test",
        "email_verified": True,
        "claims": {
            "name": "Alice Marlow",
            "given_name": "Alice",
            "family_name": "Marlow",
            "middle_name": "June",
            "nickname": "Al",
            "profile": "https://alice.example/",
            "picture": "https://alice.example/portrait.png",
            "website": "https://alice.example/log",
            "gender": "female",
            "birthdate": "1990-06-21",
            "zoneinfo": "Europe/Lisbon",
            "locale": "en-GB",
            "phone_number": "+351210000000",
            "phone_number_verified": True,
            "address": {
                "formatted": "3 Quay Street\n1100-001 Lisbon\nPortugal",
                "street_address": "3 Quay Street",
                "locality": "Lisbon",
                "postal_code": "1100-001",
                "country": "Portugal",
            },
        },
        "roles": ["harbour-master"],
        "groups": ["photographers", "rowing-club"],
    },
    "bob": {
        "email": "bob@example.test",
        "email_verified": True,
        "claims": {"name": "Bob Castro", "given_name": "Bob", "family_name": "Castro", "locale": "pt-PT"},
        "roles": [],
        "groups": ["rowing-club"],
    },
}


def wanted_clients(web_app: str) -> dict[str, dict[str, Any]]:
    """RFC 7591 metadata of the three clients, by client_id."""
    return {
        "web_app": {
            "client_name": "Photo Harbour",
            "client_uri": f"{web_app}/",
            "redirect_uris": [f"{web_app}/callback"],
            "post_logout_redirect_uris": [f"{web_app}/signed-out"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": f"openid profile email address phone roles groups offline_access {' '.join(SCOPES)}",
        },
        "api": {"client_name": "Harbour API", "grant_types": []},
        "curl": {"client_name": "curl", "grant_types": ["client_credentials"], "scope": " ".join(SCOPES)},
    }


def seed(web_app: str, api: str, kept: dict[str, Any]) -> dict[str, Any]:
    """Make what is missing and mend what differs; returns what is to be kept for the next time."""
    password = kept.get("password") or "-".join(secrets.choice(WORDS) for _ in range(5))
    return {
        "username": "alice",
        "password": password,
        "people": {name: _person(name, password, kept.get("people", {}).get(name)) for name in PEOPLE},
        "resource": _resource(api, kept.get("resource")),
        "clients": {
            client_id: [client_id, _client(client_id, document, (kept.get("clients") or {}).get(client_id))]
            for client_id, document in wanted_clients(web_app).items()
        },
    }


def _person(username: str, password: str, known_as: str | None) -> str:
    account = accounts.find_by_login(username)
    if account is None:
        account = accounts.create(username, password, **PEOPLE[username])
    elif account.id != known_as:  # it is older than what was kept, so the password is not the one we would print
        account = accounts.set_password(account.id, password)
    return account.id


def _resource(identifier: str, before: str | None) -> str:
    if before and before != identifier:
        resources.delete(before)  # PORT is another one now
    if resources.find(identifier) is None:
        resources.create(identifier, "Harbour API", SCOPES, introspection_client_ids=["api"])
    return identifier


def _client(client_id: str, document: dict[str, Any], held: list[str] | None) -> str:
    client = clients.find(client_id)
    if client is None:
        made = clients.create(document, client_id=client_id).client_secret
        assert made is not None
        return made
    is_now = document_of(client)
    if any(is_now.get(name, []) != value for name, value in document.items()):
        clients.update(client_id, document)
    if held and any(each.secret_hash == secret.hash_of(held[1]) and each.is_live(now()) for each in client.secrets):
        return held[1]
    made = clients.rotate_secret(client_id, old_expires_in=0).client_secret
    assert made is not None
    return made


def _migrate(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["db", "upgrade"])
    if done.exit_code:
        sys.exit(f"The database could not be brought up to date: {done.output or done.exception}")


def main() -> None:
    try:
        app = create_app()
    except (SettingsError, ValueError) as error:
        sys.exit(str(error))
    _migrate(app)
    with app.app_context():
        if current_server.settings.environment != "development":
            sys.exit("`make run` makes demo data, so it is for development only; `make serve` starts the server alone.")
        settings = current_server.settings
        database = sqlite_file(settings)
        state.write(
            seed(os.environ["WEB_APP"], os.environ["API"], state.read())
            | {
                "command": server_command(settings),
                "database": str(database) if database else None,
                "revision": current_revision(),
                "fingerprint": state.fingerprint(os.environ),
            }
        )


if __name__ == "__main__":
    main()
