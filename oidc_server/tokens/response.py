"""The token response (RFC 6749 §5.1): what every grant ends in. Signs, stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..resources import ProtectedResource
from ..resources import store as resources_store
from . import access_token, families, id_token
from .families import Authorization, Family


@dataclass(frozen=True)
class Issued:
    """A token response and the family that has to be stored before it may leave."""

    response: dict[str, Any]
    family: Family | None


def issue(
    client: Any,
    resource: ProtectedResource,
    scope: Sequence[str],
    *,
    account: Any = None,
    authorization: Authorization | None = None,
    family: Family | None = None,
    refresh_token: str | None = None,
) -> Issued:
    """Sign what this scope asks for: an access token for the resource, an ID token with `openid`; the refresh token is passed through.

    `scope` is what this answer may carry, a subset of the authorization's.
    """
    meaningful = resources_store.scopes_for(resource, scope)
    token = access_token.make(
        client.client_id,
        resource,
        meaningful,
        family_id=family.id if family is not None else None,
        authorization=authorization,
        account=account,
    )
    response: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": access_token.lifetime_of(resource),
        "scope": " ".join(meaningful),
    }
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    if authorization is not None and account is not None and "openid" in scope:
        response["id_token"] = id_token.make(client, account, authorization, token, authorization.sid)
    return Issued(response, family)


def issue_first(
    client: Any,
    account: Any,
    authorization: Authorization,
    resource: ProtectedResource,
    *,
    code: str | None = None,
) -> Issued:
    """Begin a family for an authorization of a person and issue its first tokens."""
    family, refresh_token = families.begin(
        authorization,
        with_refresh_token=client.check_grant_type("refresh_token"),
        lifetime=access_token.lifetime_of(resource),
        code=code,
    )
    return issue(
        client,
        resource,
        authorization.scope,
        account=account,
        authorization=authorization,
        family=family,
        refresh_token=refresh_token,
    )
