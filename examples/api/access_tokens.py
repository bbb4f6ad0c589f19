"""Verifies the access tokens of one issuer (RFC 9068) for one API. Copy this file: it needs PyJWT and requests."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import jwt
import requests

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")  # never 'none'; never HS256, with a public key as the secret
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")  # RFC 9068 §2.2
REFETCH_PAUSE = 60.0  # an unknown kid fetches the keys again, but not oftener: anybody can make up a kid
RETRY_PAUSE = 5.0
STALE_LIMIT = 3600.0  # how long the last known keys may serve while the issuer does not answer
LEEWAY = 10.0


class InvalidToken(Exception):
    """The token is not one that this API accepts; the message is constant and may be shown."""


class IssuerUnavailable(Exception):
    """The issuer's keys could not be fetched, so nobody can tell whether the token is good."""


class AccessTokens:
    """Verifier of the tokens that `issuer` makes out to `audience`, the identifier of this API."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys = IssuerKeys(issuer)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a good token (RFC 9068 §4). Raises InvalidToken, IssuerUnavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise InvalidToken("The token is not a JWT.") from None
        # An ID token is signed by the same keys: `typ` is what tells them apart.
        if str(header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise InvalidToken("The token is not an access token.")
        key = self._keys.find(str(header.get("kid")))
        if key is None or header.get("alg") != key.algorithm_name:
            raise InvalidToken("The token is not signed by a key of the issuer.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY,
                options={"require": list(CLAIMS)},
            )
        except jwt.ExpiredSignatureError:
            raise InvalidToken("The token has expired.") from None
        except jwt.InvalidAudienceError:
            raise InvalidToken("The token is meant for another API.") from None
        except jwt.PyJWTError:
            raise InvalidToken("The token is not valid here.") from None
        return claims


class IssuerKeys:
    """The issuer's public keys, found by discovery and kept for as long as its Cache-Control says."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._fresh_until = self._retry_at = float("-inf")
        self._lock = threading.Lock()

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key of this identifier, or None. Raises IssuerUnavailable."""
        with self._lock:
            at = time.monotonic()
            rotated = kid not in self._keys and at >= self._fetched_at + REFETCH_PAUSE
            if (rotated or at >= self._fresh_until) and at >= self._retry_at:
                try:
                    self._fetch(at)
                except (requests.RequestException, ValueError, KeyError, TypeError):
                    self._retry_at = at + RETRY_PAUSE
            if at >= self._fresh_until + STALE_LIMIT:
                raise IssuerUnavailable
            return self._keys.get(kid)

    def _fetch(self, at: float) -> None:
        metadata = self._get(f"{self._issuer}/.well-known/openid-configuration").json()
        if metadata["issuer"] != self._issuer:  # RFC 8414 §3.3
            raise ValueError("this is another issuer's metadata")
        answer = self._get(metadata["jwks_uri"])
        self._keys = dict(_signing_keys(answer.json()))
        max_age = re.search(r"\bmax-age=(\d{1,6})\b", answer.headers.get("Cache-Control", ""))
        self._fetched_at = at
        self._fresh_until = at + max(10, int(max_age[1]) if max_age else 300)

    @staticmethod
    def _get(url: str) -> requests.Response:
        answer = requests.get(url, timeout=5, allow_redirects=False)
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code}")
        return answer


def _signing_keys(jwks: dict[str, Any]) -> list[tuple[str, jwt.PyJWK]]:
    found = []
    for each in jwks["keys"]:
        if isinstance(each.get("kid"), str) and each.get("use", "sig") == "sig" and each.get("kty") != "oct":
            try:
                found.append((each["kid"], jwt.PyJWK(each)))
            except jwt.PyJWTError:  # a kind of key that this library does not know yet
                continue
    return found
