"""The client credentials grant (RFC 6749 §4.4): a client for itself. Nothing is stored; the answer is one signature."""

from __future__ import annotations

from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import grants

from ..clients.authentication import METHODS
from ..tokens import issue
from .issuing import IssuesTokens, scope_at_resource


class ClientCredentialsGrant(IssuesTokens, grants.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """Authlib's grant for confidential clients only."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = [method for method in METHODS if method != "none"]

    def generate_token(self, **_: Any) -> dict[str, Any]:
        scope, resource = scope_at_resource(self.request.client, self.request, with_person=False)
        return self.answer(issue(self.request.client, resource, scope))

    def save_token(self, token: dict[str, Any]) -> None:
        self.audit_issue(self.GRANT_TYPE)
