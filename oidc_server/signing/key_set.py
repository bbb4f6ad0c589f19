"""The key set between two switches, prepared once: who signs, the JWKS as bytes, and the keys that verify."""

from __future__ import annotations

import hashlib
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from joserfc.jwk import Key as JoseKey

from .algorithms import ALGORITHMS, PrivateKey, public_key
from .keys import Key, Ring

# For what orjson, which takes 2 µs instead of 10, does not say, or says as null: integers beyond 64 bits, and no number at all.
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class UnsupportedAlgorithm(ValueError):
    """Nothing here signs with that algorithm; nothing else is used in its place."""


class Signer:
    """One private key, with the header segment of each token type prepared once."""

    def __init__(self, key: Key, private: PrivateKey) -> None:
        self.kid = key.kid
        self.alg = key.alg
        self._private = private
        self._sign = ALGORITHMS[key.alg].sign
        self._headers: dict[str, bytes] = {}

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """A compact JWS of the claims (RFC 7515 §3.1). Raises ValueError or TypeError for what JSON cannot say."""
        header = self._headers.get(typ)
        if header is None:
            header = self._headers[typ] = _segment({"alg": self.alg, "kid": self.kid, "typ": typ}) + b"."
        signed = header + _segment(claims)
        return (signed + b"." + _base64url(self._sign(self._private, signed))).decode("ascii")


class KeySetView:
    """The ring as it stands from `since` until `until` (seconds since the epoch, the next switch); it never changes."""

    def __init__(
        self,
        ring: Ring,
        signers: Mapping[str, Signer],
        algorithms: tuple[str, ...],
        lead: float,
        at: float,
    ) -> None:
        switches = sorted(_switches(ring, lead))
        self.ring = ring
        self.since = max((switch for switch in switches if switch <= at), default=-math.inf)
        self.until = min((switch for switch in switches if switch > at), default=math.inf)
        published = sorted(
            (key for key in ring.keys if key.state(at) != "gone"), key=lambda key: _order(key, algorithms, at)
        )
        self._keys = {key.kid: public_key(key.alg, key.published()) for key in published}
        self._algorithms = {key.kid: key.alg for key in published}
        self._signers = {alg: signers[key.kid] for alg in ring.algorithms if (key := ring.signer(alg, at))}
        self._configured = algorithms
        self._default = _default_algorithm(ring, algorithms, lead, at)
        #: The JWKS (RFC 7517 §5) as it is sent, and its strong entity tag.
        self.jwks = {"keys": [key.published() for key in published]}
        self.body = json.dumps(self.jwks, separators=(",", ":")).encode()
        self.etag = _base64url(hashlib.sha256(self.body).digest()).decode()

    def signer(self, algorithm: str | None) -> Signer:
        """Who signs with an algorithm, or by default. Raises UnsupportedAlgorithm for one that is not configured."""
        if algorithm is None:
            return self._signers[self._default]
        if algorithm not in self._configured:
            raise UnsupportedAlgorithm(f"{algorithm} is not among the signing algorithms")
        return self._signers[algorithm]

    def find(self, kid: str, alg: str) -> JoseKey | None:
        """The published key of exactly this kid and algorithm."""
        return self._keys[kid] if self._algorithms.get(kid) == alg else None

    def verification_keys(self) -> list[JoseKey]:
        return list(self._keys.values())


def _switches(ring: Ring, lead: float) -> set[float]:
    times = {time for key in ring.keys for time in (key.active_from, key.retired_at, key.gone_at) if time is not None}
    return times | {_known_since(ring, alg) + lead for alg in ring.algorithms}


def _known_since(ring: Ring, alg: str) -> float:
    return min(key.created_at for key in ring.of(alg))


def _default_algorithm(ring: Ring, algorithms: tuple[str, ...], lead: float, at: float) -> str:
    """The first configured algorithm, but one just added only once every verifier's cache can hold its first key."""
    ready = [alg for alg in (*algorithms, *ring.algorithms) if ring.signer(alg, at)]
    known = [alg for alg in ready if _known_since(ring, alg) + lead <= at]
    return (known or ready)[0]


def _order(key: Key, algorithms: tuple[str, ...], at: float) -> tuple[int, int, float]:
    """The key that signs first: some verifiers take the first that fits."""
    rank = algorithms.index(key.alg) if key.alg in algorithms else len(algorithms)
    return ("active", "next", "retired", "gone").index(key.state(at)), rank, key.created_at


def _segment(value: Mapping[str, Any]) -> bytes:
    try:
        text = orjson.dumps(value)
    except TypeError:
        text = b"null"
    return _base64url(_JSON.encode(value).encode() if b"null" in text else text)


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
