"""What every grant shares: which methods authenticate its client, which resource and scope a request means, and how it issues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import audit
from ..clients.authentication import METHODS
from ..errors import ProtocolError
from ..resources import IDENTITY_SCOPES, InvalidTarget, ProtectedResource, choose, grantable
from ..tokens import Issued

INVALID_TARGET = (
    "The resource is unknown here, or this grant does not reach it; name one of those that were authorized."
)


def invalid_grant(description: str, detail: str) -> ProtocolError:
    return ProtocolError("invalid_grant", description, detail=detail)


def requested_resources(request: Any) -> list[str]:
    """The `resource` parameters of a request (RFC 8707 §2), in their order."""
    return list(request.form.getlist("resource"))


def choose_resource(request: Any, granted: Sequence[str], scope: Sequence[str]) -> ProtectedResource:
    """The one resource the access token is for. Raises ProtocolError invalid_target."""
    try:
        return choose(requested_resources(request), granted, scope)
    except InvalidTarget as error:
        raise ProtocolError("invalid_target", INVALID_TARGET) from error


def scope_at_resource(client: Any, request: Any, *, with_person: bool) -> tuple[list[str], ProtectedResource]:
    """The scope and resource of a grant that has no authorization request (client credentials, password).

    Without `scope`, what the client may ask for at that resource. Raises ProtocolError invalid_target or invalid_scope.
    """
    allowed = client.scope.split()
    try:
        (resource,) = grantable(requested_resources(request), client.default_resource, allowed)
    except (InvalidTarget, ValueError) as error:
        raise ProtocolError("invalid_target", INVALID_TARGET) from error
    asked = client.get_allowed_scope(request.payload.scope or "")
    if asked is None:
        raise ProtocolError("invalid_scope", "The client may not ask for this scope.")
    known = {*resource.scopes, *(IDENTITY_SCOPES if with_person else ())}
    if not request.payload.scope:
        asked = " ".join(
            scope for scope in allowed if scope in resource.scopes and (with_person or scope not in IDENTITY_SCOPES)
        )
    scope = asked.split()
    if not scope or not set(scope) <= known or (not with_person and set(scope) & set(IDENTITY_SCOPES)):
        raise ProtocolError(
            "invalid_scope", "The scope has no meaning at the resource; name the resource it belongs to."
        )
    return list(dict.fromkeys(scope)), resource


class IssuesTokens:
    """Mixed into each of Authlib's grants: our client authentication, and tokens made by tokens.issue instead of Authlib's generators.

    `generate_token` signs, `save_token` stores in one transaction; Authlib calls them in this order and then answers.
    """

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = list(METHODS)
    request: Any
    issued: Issued

    def validate_requested_scope(self) -> None:
        """Nothing: scope_at_resource() and the authorization endpoint decide, with the client and the resource in view."""

    def answer(self, issued: Issued) -> dict[str, Any]:
        self.issued = issued
        return issued.response

    def audit_issue(self, grant_type: str) -> None:
        family = self.issued.family
        audit.record(
            audit.TOKEN_ISSUED,
            client_id=self.request.client.client_id,
            grant_type=grant_type,
            scope=self.issued.response.get("scope"),
            account_id=family.account_id if family else None,
            family=family.id if family else None,
        )
