"""POST grant and revoke: roles and groups, for a client with an access token of its own (RFC 6750, RFC 6749 §4.4, RFC 8707)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from .. import audit
from ..accounts import Account, client_roles, roles, store
from ..accounts.claims import ClaimRefused
from ..languages import translate
from ..resources import ROLES_SCOPE
from ..server import current_server
from ..tokens import BEARER, InvalidToken, verify
from .answers import account_of, answer
from .declaration import Operation
from .operations import GRANT, REVOKE
from .problem import Problem


def mount(blueprint: Blueprint) -> None:
    for name, view in (("grant", grant), ("revoke", revoke)):
        blueprint.post(f"/{name}", endpoint=name, provide_automatic_options=False)(view)


def grant() -> Response:
    """200 with what the person has now."""
    return _change(GRANT, roles.grant, audit.ROLES_GRANTED)


def revoke() -> Response:
    """200 with what the person has left."""
    return _change(REVOKE, roles.revoke, audit.ROLES_REVOKED)


def _change(operation: Operation, change: Callable[..., Account], event: str) -> Response:
    client_id = _require_token()
    sent = operation.read()
    named = [find(sent[name]) for name, find in (("sub", store.find), ("login", store.find_by_login)) if name in sent]
    account = named[0]
    if account is None or account is not named[-1]:
        raise Problem("account-unknown")
    given: dict[str, Any] = {name: sent[name] for name in ("roles", "groups", "client_id") if name in sent}
    if "client_id" in given:
        _require_sense(given)
    try:
        fresh = change(account.id, **given)
    except ClaimRefused as error:
        raise Problem(
            "invalid-fields", errors={"": [translate("There are too many names, or one that cannot be a name.")]}
        ) from error
    audit.record(event, account_id=fresh.id, by=f"client {client_id}", **given)
    body = {
        "account": account_of(fresh),
        "roles": list(fresh.roles),
        "groups": list(fresh.groups),
        "client_roles": client_roles.of_accounts([fresh.id]).get(fresh.id, {}),
    }
    return answer(200, body)


def _require_sense(given: dict[str, Any]) -> None:
    if "groups" in given:
        raise Problem("invalid-fields", errors={"groups": [translate("Groups are the same for every app.")]})
    if not client_roles.existing_clients([given["client_id"]]):
        raise Problem("invalid-fields", errors={"client_id": [translate("There is no such app.")]})


def _require_token() -> str:
    """The client whose own access token, for this API and ROLES_SCOPE, came with the request. Raises Problem."""
    headers = request.headers.getlist("Authorization")
    matched = BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if matched is None:
        raise Problem("token-needed", headers={"WWW-Authenticate": _challenge()})
    try:
        token = verify(matched[1], audience=current_server.settings.accounts_api_resource)
    except InvalidToken as error:
        raise Problem("token-refused", headers={"WWW-Authenticate": _challenge("invalid_token")}) from error
    # A person's token would let whoever signs in at that client make themselves an administrator.
    if token.standing is not None or ROLES_SCOPE not in token.scope:
        challenge = _challenge("insufficient_scope") + f', scope="{ROLES_SCOPE}"'
        raise Problem("scope-needed", headers={"WWW-Authenticate": challenge})
    return str(token.claims["client_id"])


def _challenge(error: str = "") -> str:
    realm = f'Bearer realm="{current_server.settings.issuer}"'
    return f'{realm}, error="{error}"' if error else realm
