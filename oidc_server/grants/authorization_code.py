"""The authorization code grant (RFC 6749 §4.1, OIDC Core §3.1)."""

from __future__ import annotations

from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import grants

from .. import audit, sessions
from ..accounts import store as accounts
from ..database import now
from ..tokens import Authorization, connections, issue_first, names
from . import codes
from .codes import AuthorizationCode
from .issuing import IssuesTokens, choose_resource, invalid_grant

_USED = "The code is wrong, has expired or was used before; start again at the authorization endpoint."


class AuthorizationCodeGrant(IssuesTokens, grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """Authlib's grant; one statement claims the code, and a valid replay ends what it gave."""

    RESPONSE_TYPES: ClassVar[set[str]] = {"code"}

    def generate_authorization_code(self) -> str:
        return names.make_code(now())

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Store the code with what was authorized, which the authorization endpoint put on the request. Inside transact()."""
        authorization: Authorization = request.authorization
        codes.put(code, authorization)
        audit.record(
            audit.CODE_ISSUED,
            client_id=authorization.client_id,
            account_id=authorization.account_id,
            scope=" ".join(authorization.scope),
        )

    def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
        found = codes.find(code)
        if found is None or found.authorization.client_id != client.client_id:
            # Another client's code stays usable by its owner: a thief must not be able to burn it.
            raise invalid_grant(_USED, "unknown code" if found is None else "code of another client")
        return found

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Any:
        """The account of the code, when nothing happened since it was issued that ends it."""
        if authorization_code.spent_by is not None:
            codes.revoke_replayed(authorization_code)
            raise invalid_grant(_USED, "code replayed")
        authorization = authorization_code.authorization
        if authorization.is_offline:
            account = accounts.read(authorization.account_id)
        else:
            session = sessions.store.alive(authorization.sid)
            if session is None:
                raise invalid_grant(_USED, "the browser session ended since the code was issued")
            account = session.account
        if account is None or not account.is_active or (account.signed_out_before or 0) > authorization_code.issued_at:
            raise invalid_grant(_USED, "the account changed since the code was issued")
        if self.request.client.get_allowed_scope(authorization_code.get_scope()) is None:
            raise invalid_grant(_USED, "the client lost a scope since the code was issued")
        if connections.was_ended(account.id, authorization.client_id, authorization_code.issued_at):
            raise invalid_grant(_USED, "the person removed the app since the code was issued")
        return account

    def generate_token(self, user: Any = None, **_: Any) -> dict[str, Any]:
        code: AuthorizationCode = self.request.authorization_code
        authorization = code.authorization
        resource = choose_resource(self.request, authorization.resources, authorization.scope)
        return self.answer(issue_first(self.request.client, user, authorization, resource, code=code.text))

    def save_token(self, token: dict[str, Any]) -> None:
        family = self.issued.family
        assert family is not None
        if not codes.spend(self.request.authorization_code, family):
            raise invalid_grant(_USED, "code replayed at the same time")
        self.audit_issue(self.GRANT_TYPE)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Nothing: save_token() spent it, before anything was given out."""
