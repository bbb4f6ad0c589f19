"""What the server issues: RFC 9068 access tokens, OIDC ID tokens, refresh tokens, and the families that tie them together.

A family is everything issued from one authorization and the unit of revocation. Endpoints: none.
"""

from __future__ import annotations

from flask import Flask

from ..accounts.claims import CLAIMS_OF_SCOPE
from ..server import AuthorizationServer
from .bearer import BEARER, AccessToken, InvalidToken, verify
from .families import Authorization, Family
from .response import Issued, issue, issue_first

__all__ = [
    "BEARER",
    "AccessToken",
    "Authorization",
    "Family",
    "InvalidToken",
    "Issued",
    "issue",
    "issue_first",
    "mount",
    "verify",
]


def mount(app: Flask, server: AuthorizationServer) -> None:
    # A retired key stays published until the longest-lived token that it can have signed has ended.
    server.keyring.outlive(lambda: server.settings.longest_token_lifetime)
    names = dict.fromkeys(name for names in CLAIMS_OF_SCOPE.values() for name in names)
    server.advertise(
        subject_types_supported=["public"],
        claims_supported=[
            *names,
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "sid",
            "at_hash",
        ],
    )
