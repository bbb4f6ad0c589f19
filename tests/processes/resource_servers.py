"""Three APIs that verify access tokens with the published keys, each with its own habit of fetching them (RFC 7517, RFC 9068 §4)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet


class ResourceServer:
    """Verifies tokens with the keys it has; `failures` are the tokens that a good API would have turned away."""

    def __init__(self, jwks_uri: str, clock: Callable[[], float], max_age: float) -> None:
        self.jwks_uri, self.clock, self.max_age = jwks_uri, clock, max_age
        self.fetched_at = float("-inf")
        self.etag = ""
        self.fetches = 0
        self.verified = 0
        self.failures: list[str] = []
        self.keys: dict[str, KeySet] = {}

    def is_stale(self, kid: str) -> bool:
        raise NotImplementedError

    def verify(self, token: str, kid: str) -> None:
        if self.is_stale(kid):
            self.fetch()
        try:
            jwt.decode(token, self.keys[kid], algorithms=["RS256"])
            self.verified += 1
        except (KeyError, JoseError) as error:
            self.failures.append(f"{type(self).__name__}: {kid}: {error!r}")

    def fetch(self) -> None:
        asked = urllib.request.Request(self.jwks_uri, headers={"If-None-Match": self.etag} if self.etag else {})
        self.fetched_at = self.clock()
        self.fetches += 1
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                self.etag = answer.headers["ETag"]
                published = json.load(answer)["keys"]
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise
            return
        self.keys = {key["kid"]: KeySet.import_key_set({"keys": [key]}) for key in published}


class KeepsToMaxAge(ResourceServer):
    """Fetches when the max-age of what it has is over, and not a moment earlier."""

    def is_stale(self, kid: str) -> bool:
        return self.clock() >= self.fetched_at + self.max_age


class AsksByETag(ResourceServer):
    """Asks every few seconds whether anything has changed."""

    def is_stale(self, kid: str) -> bool:
        return self.clock() >= self.fetched_at + 5


class AsksForUnknownKeys(ResourceServer):
    """Fetches when it meets a key that it does not know, but at most once a minute."""

    def is_stale(self, kid: str) -> bool:
        return kid not in self.keys and self.clock() >= self.fetched_at + 60


HABITS: tuple[type[ResourceServer], ...] = (KeepsToMaxAge, AsksByETag, AsksForUnknownKeys)
