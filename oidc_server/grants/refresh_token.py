"""The refresh token grant (RFC 6749 §6): rotation with one successor, and an end to the family when an old token comes back.

For some seconds the token just rotated returns its same successor, so that a lost answer or two tabs do not sign anybody out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import grants

from .. import audit
from ..database import now, transact
from ..errors import ProtocolError
from ..server import current_server
from ..tokens import Authorization, Family, Issued, families, issue
from ..tokens import refresh_token as tokens
from .issuing import IssuesTokens, choose_resource, invalid_grant, requested_resources

_ENDED = "The refresh token is wrong, has expired or was revoked; send the person to the authorization endpoint again."


@dataclass(frozen=True)
class Credential:
    """A refresh token that may be used; `sealed_answer` is what its rotation returned when it is used again within the grace."""

    text: str
    family: Family
    authorization: Authorization
    sealed_answer: dict[str, Any] | None = None

    def check_client(self, client: Any) -> bool:
        return bool(self.family.client_id == client.client_id)

    def get_scope(self) -> str:
        return " ".join(self.authorization.scope)


class RefreshTokenGrant(IssuesTokens, grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """Authlib's grant over token families."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Credential:
        """Decide what a presented token is worth. Everything else about the request is checked before anything is spent."""
        parsed = tokens.parse(refresh_token)
        family = families.find(parsed.family_id) if parsed else None
        if parsed is None or family is None:
            if parsed is not None and parsed.is_ours:
                # Purged long ago; or, when many clients come so, the database is a backup older than their families.
                audit.record(audit.REFRESH_UNKNOWN, client_id=self.request.client.client_id, family=parsed.family_id)
            raise invalid_grant(_ENDED, "unknown refresh token")
        if family.client_id != self.request.client.client_id:
            raise invalid_grant(_ENDED, "refresh token of another client")
        if not families.is_live(family):
            raise invalid_grant(
                _ENDED, f"family has ended: {family.revoked_because or 'expired, or the account changed'}"
            )
        authorization = families.authorization_of(family)
        presented = tokens.hash_of(refresh_token)
        if presented == family.refresh_hash:
            if now() >= (family.refresh_expires_at or 0):
                raise invalid_grant(_ENDED, "unused for too long")
            return Credential(refresh_token, family, authorization)
        if (
            presented == family.previous_hash
            and now() < (family.rotated_at or 0) + current_server.settings.refresh_token_grace
        ):
            plain = tokens.unseal(refresh_token, family.sealed_successor or b"")
            if plain is not None:
                return Credential(refresh_token, family, authorization, orjson.loads(plain))
        if parsed.is_ours:
            self._end(family, parsed)
        raise invalid_grant(_ENDED, "refresh token reused" if parsed.is_ours else "made-up refresh token")

    def _end(self, family: Family, presented: tokens.RefreshToken) -> None:
        """End a family that is in two hands: nobody can tell which is the owner's (RFC 9700 §4.14.2).

        A generation that the row has not reached yet means that the database went back: an older copy of the token counts again.
        """
        went_back = presented.generation > family.refresh_generation
        because = "newer than the database" if went_back else "refresh token reused"
        transact(lambda: families.revoke(family.id, because))
        event = audit.REFRESH_NEWER if went_back else audit.REFRESH_REUSED
        audit.record(event, client_id=family.client_id, account_id=family.account_id, family=family.id)

    def authenticate_user(self, refresh_token: Credential) -> Any:
        if self.request.client.get_allowed_scope(refresh_token.get_scope()) is None:
            raise invalid_grant(_ENDED, "the client lost a scope since")
        return refresh_token.family.account

    def issue_token(self, user: Any, refresh_token: Credential) -> dict[str, Any]:
        return self.answer(self._issue(refresh_token))

    def save_token(self, token: dict[str, Any]) -> None:
        """Rotate. Of simultaneous requests one does; the others find their token rotated and answer with the same successor."""
        credential: Credential = self.request.refresh_token
        if credential.sealed_answer is None and self._rotate(credential, token):
            audit.record(audit.REFRESH_ROTATED, client_id=credential.family.client_id, family=credential.family.id)
            self.audit_issue(self.GRANT_TYPE)
            return
        if credential.sealed_answer is None:  # it was the live one a moment ago; now it is the one before
            credential = self.authenticate_refresh_token(credential.text)
            token.clear()
            token.update(self._issue(credential).response)
        audit.record(audit.REFRESH_RETRIED, client_id=credential.family.client_id, family=credential.family.id)

    def _rotate(self, credential: Credential, token: dict[str, Any]) -> bool:
        answer = orjson.dumps({"request": self._fingerprint(), "response": token})
        return transact(lambda: families.rotate(credential.family, credential.text, token["refresh_token"], answer))

    def revoke_old_credential(self, refresh_token: Credential) -> None:
        """Nothing: save_token() put the successor in its place, before anything was given out."""

    def _issue(self, credential: Credential) -> Issued:
        sealed, family = credential.sealed_answer, credential.family
        if sealed is not None and sealed["request"] == self._fingerprint():
            return Issued(sealed["response"], family)
        # A retry that asks for another scope or resource gets its own access token, and still the same successor.
        successor = (
            sealed["response"]["refresh_token"] if sealed else tokens.make(family.id, family.refresh_generation + 1)
        )
        # No nonce: that one belongs to the first ID token (OIDC Core §12.2).
        authorization = replace(credential.authorization, nonce="")
        scope = list(dict.fromkeys((self.request.payload.scope or credential.get_scope()).split()))
        resource = choose_resource(self.request, authorization.resources, authorization.scope)
        return issue(
            self.request.client,
            resource,
            scope,
            account=family.account,
            authorization=authorization,
            family=family,
            refresh_token=successor,
        )

    def _fingerprint(self) -> list[str]:
        return [self.request.payload.scope or "", *requested_resources(self.request)]

    def _validate_token_scope(self, token: Credential) -> None:
        """Narrowing only (RFC 6749 §6)."""
        asked = set((self.request.payload.scope or "").split())
        if not asked <= set(token.authorization.scope):
            raise ProtocolError("invalid_scope", "The scope goes beyond what was granted.")
