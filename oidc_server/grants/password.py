"""The resource owner password credentials grant (RFC 6749 §4.3), for clients it is switched on for.

RFC 9700 §2.4 forbids it to new systems; it is here for moving old ones, and shares the counters of the login page.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import grants
from flask import request as flask_request

from .. import accounts, factors, rate_limits, registrations
from ..database import now, transact
from ..errors import ProtocolError
from ..networks import client_network
from ..tokens import Authorization, families, issue_first
from .issuing import IssuesTokens, invalid_grant, scope_at_resource

#: The one factor that this grant can check, as the login page names it.
ACR, AMR = "1", ["pwd"]


class PasswordGrant(IssuesTokens, grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """Authlib's grant; wrong credentials are `invalid_grant` (RFC 6749 §5.2)."""

    def authenticate_user(self, username: str, password: str) -> Any:
        network = client_network(flask_request)
        rate_limits.hit("sign_in", *accounts.sign_in_identity(username, network=network, device=None))
        try:
            return accounts.authenticate(username, password, network=network, device=None, refuse=self._refuse)
        except accounts.WrongCredentials as error:
            raise invalid_grant("The user name and the password do not match.", "wrong credentials") from error
        except accounts.TooManyAttempts as error:
            raise rate_limits.RateLimited(error.retry_after) from error
        except accounts.Busy as error:
            raise ProtocolError(
                "temporarily_unavailable", "Try again in a few seconds.", status=503, headers={"Retry-After": "2"}
            ) from error

    def _refuse(self, account: Any) -> str | None:
        """Closed to whoever has or needs a second factor, which this grant cannot carry; it looks like a wrong password."""
        if registrations.must_verify(account):
            return "address not verified"
        needed = factors.acr_needed(account, factors.of(account.id), self.request.client)
        return None if factors.reaches(ACR, needed) else "a second factor is needed"

    def generate_token(self, user: Any = None, **_: Any) -> dict[str, Any]:
        client = self.request.client
        scope, resource = scope_at_resource(client, self.request, with_person=True)
        authorization = Authorization(
            client_id=client.client_id,
            account_id=user.id,
            scope=scope,
            resources=[resource.identifier],
            auth_time=int(now()),
            acr=ACR,
            amr=AMR,
        )
        return self.answer(issue_first(client, user, authorization, resource))

    def save_token(self, token: dict[str, Any]) -> None:
        family = self.issued.family
        assert family is not None
        transact(lambda: families.store(family))
        self.audit_issue(self.GRANT_TYPE)
