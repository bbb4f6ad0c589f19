"""The only queries on protected resources, and the choice of the one a token is meant for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa

from ..database import db, now, transact
from ..remembered import Remembered, detached
from ..server import current_server
from ..settings import LONGEST_RESOURCE_LIFETIME
from .models import ProtectedResource

#: Scopes that speak of the person and belong to the server itself (OIDC Core §5.4, §11).
IDENTITY_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access", "roles", "groups")
#: Identity scopes that mean something at every resource: they put claims into its access tokens.
SHARED_SCOPES = ("roles", "groups")

#: What a client must be registered for to change roles and groups by the accounts API.
ROLES_SCOPE = "accounts:roles"

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")  # RFC 6749 §3.3
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]{1,255}")  # RFC 3986 without fragment


class InvalidTarget(ValueError):
    """The `resource` is unknown, malformed or not for this client (RFC 8707 §2)."""


class ResourceError(ValueError):
    """A resource cannot be created like that; the message says why."""


def own_resource() -> ProtectedResource:
    """The UserInfo endpoint as a protected resource."""
    identifier = current_server.settings.userinfo_resource
    return ProtectedResource(
        identifier=identifier,
        name="Your account",
        scopes=dict.fromkeys(IDENTITY_SCOPES, ""),
        introspection_client_ids=[],
        access_token_lifetime=None,
    )


def accounts_api_resource() -> ProtectedResource:
    """The part of the accounts API that is for programs of the people who run this server; no person can allow it to an app."""
    return ProtectedResource(
        identifier=current_server.settings.accounts_api_resource,
        name="Accounts",
        scopes={ROLES_SCOPE: "Give people roles and groups, and take them away"},
        introspection_client_ids=[],
        access_token_lifetime=None,
    )


_remembered: Remembered[ProtectedResource | None] = Remembered("resources")


def find(identifier: str) -> ProtectedResource | None:
    """The resource of exactly this identifier as it was at most a second ago, or None. To read only; it belongs to no session."""
    if identifier == current_server.settings.userinfo_resource:
        return own_resource()
    if identifier == current_server.settings.accounts_api_resource and current_server.settings.accounts_api:
        return accounts_api_resource()
    return _remembered.get(identifier, _read)


def _read(identifier: str) -> ProtectedResource | None:
    found: ProtectedResource | None = detached(db.session(), db.session.get(ProtectedResource, identifier))
    return found


def list_resources() -> Sequence[ProtectedResource]:
    return db.session.scalars(sa.select(ProtectedResource).order_by(ProtectedResource.identifier)).all()


def grantable(requested: Sequence[str], default: str | None, client_scopes: Collection[str]) -> list[ProtectedResource]:
    """The resources an authorization request asks for (RFC 8707 §2.1), else the client's default, else the server's own.

    Raises InvalidTarget for one that is unknown or none of whose scopes the client may ask for.
    """
    found = []
    for identifier in dict.fromkeys(requested) or [default or current_server.settings.userinfo_resource]:
        resource = find(identifier) if _URI_CHARACTERS.fullmatch(identifier) else None
        if resource is None or not (identifier == default or set(resource.scopes) & set(client_scopes)):
            raise InvalidTarget
        found.append(resource)
    return found


def choose(requested: Sequence[str], granted: Sequence[str], scope: Collection[str]) -> ProtectedResource:
    """The one resource that an access token of a grant is meant for (RFC 8707 §2.2: a subset of what was granted, here one).

    With `openid` the server's own UserInfo endpoint is always among the granted. Raises InvalidTarget.
    """
    allowed = [*granted, current_server.settings.userinfo_resource] if "openid" in scope else list(granted)
    if len(set(requested)) > 1 or not set(requested) <= set(allowed):
        raise InvalidTarget
    resource = find(next(iter(requested), allowed[0]))
    if resource is None:  # deleted since it was granted
        raise InvalidTarget
    return resource


def scopes_for(resource: ProtectedResource, scope: Collection[str]) -> list[str]:
    """Those of the granted scopes that have a meaning at this resource (RFC 9068 §3)."""
    return [name for name in scope if name in resource.scopes or name in SHARED_SCOPES]


def create(
    identifier: str,
    name: str,
    scopes: Mapping[str, str],
    *,
    access_token_lifetime: int | None = None,
    introspection_client_ids: Sequence[str] = (),
) -> ProtectedResource:
    """Create a resource. Raises ResourceError with a plain sentence."""
    parts = urlsplit(identifier) if _URI_CHARACTERS.fullmatch(identifier) else None
    if parts is None or not parts.scheme or not (parts.netloc or parts.path):
        raise ResourceError(
            "The identifier must be an absolute URI without a fragment, such as https://api.example.com/ (RFC 8707 §2)."
        )
    if _read(identifier) is not None:
        raise ResourceError("There is a resource of that identifier already.")
    if bad := [scope for scope in scopes if not _SCOPE_TOKEN.fullmatch(scope) or scope in IDENTITY_SCOPES]:
        raise ResourceError(f"These are no names for scopes of a resource: {' '.join(bad)}")
    if access_token_lifetime is not None and not 1 <= access_token_lifetime <= LONGEST_RESOURCE_LIFETIME:
        raise ResourceError(f"The lifetime must be between 1 and {LONGEST_RESOURCE_LIFETIME} seconds.")
    if not 1 <= len(name) <= 100:
        raise ResourceError("The name must have between 1 and 100 characters.")
    resource = ProtectedResource(
        identifier=identifier,
        name=name,
        scopes=dict(scopes),
        access_token_lifetime=access_token_lifetime,
        introspection_client_ids=list(introspection_client_ids),
        created_at=now(),
    )
    transact(lambda: db.session.add(resource))
    _remembered.forget()
    return resource


def delete(identifier: str) -> bool:
    """Delete a resource; tokens meant for it are refused at our endpoints from now on."""
    gone = transact(
        lambda: db.session.execute(
            sa.delete(ProtectedResource)
            .where(ProtectedResource.identifier == identifier)
            .returning(ProtectedResource.identifier)
        ).first()
    )
    _remembered.forget()
    return gone is not None
