"""Proof Key for Code Exchange (RFC 7636): S256 only, asked for where the request starts, and a wrong verifier never spends the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from authlib.oauth2.rfc7636 import CodeChallenge as AuthlibCodeChallenge
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..errors import ProtocolError
from ..server import current_server
from . import codes
from .issuing import invalid_grant

# base64url of a SHA-256 hash has exactly 43 characters (RFC 7636 §4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def is_required(client: Any) -> bool:
    """Whether this client must send a code_challenge (RFC 9700 §2.1.1): by default everybody, always every public client."""
    if client.is_public:
        return True
    if client.require_pkce is not None:
        return bool(client.require_pkce)
    return current_server.settings.require_pkce == "every client"


class CodeChallenge(AuthlibCodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """Authlib's extension without its `plain` default, enforced at /authorize and failing closed at /token."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar[list[str]] = ["S256"]
    CODE_CHALLENGE_METHODS: ClassVar[dict[str, Callable[[str, str], bool]]] = {
        "S256": lambda verifier, challenge: create_s256_code_challenge(verifier) == challenge
    }

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.payload.data
        challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
        if challenge is None and method is None:
            if is_required(grant.request.client):
                raise ProtocolError(
                    "invalid_request", "The code_challenge is missing; this server requires PKCE with S256 (RFC 7636)."
                )
            return
        # A missing method means plain (RFC 7636 §4.3), which is not supported.
        if method != "S256":
            raise ProtocolError("invalid_request", "The code_challenge_method must be S256.")
        if challenge is None or not _CHALLENGE.fullmatch(challenge):
            raise ProtocolError(
                "invalid_request", "The code_challenge must be 43 characters of base64url (RFC 7636 section 4.2)."
            )

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        code = grant.request.authorization_code
        verifier = grant.request.form.get("code_verifier")
        if not code.code_challenge:
            if verifier is not None:  # RFC 9700 §4.8.2: the challenge was stripped on the way
                raise invalid_grant("The authorization request had no code_challenge.", "verifier without challenge")
            if is_required(grant.request.client):
                raise invalid_grant(
                    "The authorization request had no code_challenge.", "PKCE is required of the client"
                )
            return
        if verifier is None:
            raise invalid_grant("The code_verifier is missing.", "no verifier")
        if not _VERIFIER.fullmatch(verifier):
            raise ProtocolError(
                "invalid_request", "The code_verifier must be 43 to 128 unreserved characters (RFC 7636 section 4.1)."
            )
        if not self.CODE_CHALLENGE_METHODS["S256"](verifier, code.code_challenge):
            codes.count_wrong_verifier(code)
            raise invalid_grant("The code_verifier does not match the code_challenge.", "wrong verifier")
