"""One authorization request on its way through the steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Response

from .. import audit
from ..accounts.claims import CLAIMS_OF_SCOPE, REQUESTABLE
from ..errors import ProtocolError
from ..form import Form
from ..parked_requests import ParkedRequest
from ..resources import ProtectedResource
from ..responses import DEFAULT_MODE, authorization_response
from ..server import Request
from ..sessions import Session


@dataclass
class Walk:
    """What is known about the request so far; the steps fill it in from top to bottom."""

    request: Request
    parked: ParkedRequest | None = None
    client: Any = None
    redirect_uri: str = ""
    response_mode: str = DEFAULT_MODE
    grant: Any = None
    scope: list[str] = field(default_factory=list)
    resources: list[ProtectedResource] = field(default_factory=list)
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    #: The person of the id_token_hint, or empty.
    hinted_sub: str = ""
    session: Session | None = None
    #: Set when the person pressed Allow on the consent page of this very request.
    consented: bool = False

    @property
    def parameters(self) -> Form:
        return self.request.form

    @property
    def state(self) -> str | None:
        return self.parameters.get("state")

    @property
    def may_not_ask(self) -> bool:
        return "none" in self.prompt

    @property
    def shared(self) -> list[str]:
        """What the person is asked to share: the scope, and the scopes of claims that were asked for by name (OIDC Core §5.5)."""
        asked = {name for members in self.claims.values() for name in members} & REQUESTABLE
        return [
            *self.scope,
            *(scope for scope, names in CLAIMS_OF_SCOPE.items() if scope not in self.scope and asked & set(names)),
        ]

    def refuse(self, error: ProtocolError) -> Response:
        """Send an error to the validated redirect URI (RFC 6749 §4.1.2.1)."""
        audit.record(
            audit.AUTHORIZATION_REFUSED, client_id=self.client.client_id, error=error.error, detail=error.description
        )
        return authorization_response(
            self.redirect_uri, self.response_mode, self.state, error=error.error, error_description=error.description
        )
