"""A signing key and the ring of all of them: plain values whose states follow from their times alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .algorithms import ALGORITHMS, thumbprint

State = Literal["next", "active", "retired", "gone"]

#: What a rotation replaces, mildest first: the keys in turn, those that have signed, every one.
KINDS = ("planned", "emergency", "everything")

_FORMAT = 1


class KeysUnusable(Exception):
    """The signing keys cannot be used as they are; the message is a sentence that names the file and what to do."""


@dataclass(frozen=True)
class Key:
    """One signing key. Times are seconds since the epoch; None is not yet decided.

    `active_from` and `retired_at` bound its signing, `gone_at` its stay in the JWKS. `jwk` holds public members only.
    """

    kid: str
    alg: str
    jwk: Mapping[str, str] = field(repr=False)
    created_at: float
    active_from: float | None = None
    retired_at: float | None = None
    gone_at: float | None = None
    #: Refused since an emergency rotation, whatever the times say.
    emergency: bool = False
    #: Whether the store keeps the private part; it is deleted as soon as the key cannot sign any more.
    has_private: bool = True
    #: Only in a key just made, until a store has written it.
    private_pem: bytes | None = field(default=None, repr=False, compare=False)

    def state(self, at: float) -> State:
        """The state at a time: a pure function, so all processes switch at the same instant, reading nothing."""
        # Not a matter of time: a node whose clock is behind must refuse it too.
        if self.emergency:
            return "gone"
        if self.gone_at is not None and at >= self.gone_at:
            return "gone"
        if self.retired_at is not None and at >= self.retired_at:
            return "retired"
        if self.active_from is None or at < self.active_from:
            return "next"
        return "active"

    @property
    def is_last(self) -> bool:
        """Whether it is the last of its algorithm that was told to sign, with no successor named yet."""
        return self.active_from is not None and self.retired_at is None and not self.emergency

    @property
    def is_standby(self) -> bool:
        """Whether it is published and waits to be told when to sign."""
        return self.active_from is None and self.gone_at is None and not self.emergency

    def published(self) -> dict[str, str]:
        """Its entry in the JWKS (RFC 7517 §4)."""
        return {**self.jwk, "kid": self.kid, "use": "sig", "alg": self.alg}


@dataclass(frozen=True)
class Rotated:
    """The last rotation of a kind: how many there were, when, and the process that did it."""

    count: int
    at: float
    by: str


@dataclass(frozen=True)
class Ring:
    """Every key the server knows, and the last rotation of each kind."""

    keys: tuple[Key, ...] = ()
    rotations: Mapping[str, Rotated] = field(default_factory=dict)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms of its keys, each once, oldest first."""
        return tuple(dict.fromkeys(key.alg for key in self.keys))

    def of(self, alg: str) -> list[Key]:
        return [key for key in self.keys if key.alg == alg]

    def standby(self, alg: str) -> Key | None:
        """The oldest key of an algorithm that is published and waits."""
        return min((key for key in self.of(alg) if key.is_standby), key=lambda key: key.created_at, default=None)

    def last(self, alg: str) -> Key | None:
        """The key of an algorithm that signs until further notice, now or once its time has come."""
        return next((key for key in self.of(alg) if key.is_last), None)

    def signer(self, alg: str, at: float) -> Key | None:
        """The key that signs at a time, or None when the algorithm has none.

        Where no key is active because this clock is behind the one that made the first, the first signs already.
        """
        live = [key for key in self.of(alg) if key.active_from is not None and key.state(at) in ("next", "active")]
        active = [key for key in live if key.state(at) == "active"]
        return max(active, key=_active_from) if active else min(live, key=_active_from, default=None)

    def rotated_since(self, seen: Ring, kind: str) -> bool:
        """Whether a rotation of this kind or a graver one was recorded after `seen` was read."""
        graver = KINDS[KINDS.index(kind) :]
        return any(self.rotations.get(each) != seen.rotations.get(each) for each in graver)

    def last_rotation(self, kind: str) -> Rotated | None:
        """The latest rotation of this kind or a graver one."""
        graver = (self.rotations[each] for each in KINDS[KINDS.index(kind) :] if each in self.rotations)
        return max(graver, key=lambda rotated: rotated.at, default=None)

    def to_json(self) -> dict[str, Any]:
        """The ring as JSON, without any private part."""
        keys = [
            {name: getattr(key, name) for name in _FIELDS if name != "jwk"} | {"jwk": dict(key.jwk)}
            for key in self.keys
        ]
        rotations = {kind: {"count": it.count, "at": it.at, "by": it.by} for kind, it in self.rotations.items()}
        return {"format": _FORMAT, "rotations": rotations, "keys": keys}


_TIMES = ("created_at", "active_from", "retired_at", "gone_at")
_FLAGS = ("emergency", "has_private")
_FIELDS = ("kid", "alg", *_TIMES, *_FLAGS, "jwk")


def _active_from(key: Key) -> float:
    return key.active_from or 0.0


def ring_from_json(data: Any) -> Ring:
    """Read back what Ring.to_json() wrote. Raises ValueError naming what is wrong; a key is never half believed."""
    if not isinstance(data, dict) or data.get("format") != _FORMAT or not isinstance(data.get("keys"), list):
        raise ValueError(f"it is not a key ring of format {_FORMAT}")
    keys = tuple(_key_from_json(each) for each in data["keys"])
    _require_unique(key.kid for key in keys)
    for alg in ALGORITHMS:
        if len([key for key in keys if key.alg == alg and key.is_last]) > 1:
            raise ValueError(f"two {alg} keys sign until further notice")
    rotations = data.get("rotations", {})
    if not isinstance(rotations, dict) or not set(rotations) <= set(KINDS):
        raise ValueError("its rotations are malformed")
    return Ring(keys, {kind: _rotated_from_json(each) for kind, each in rotations.items()})


def _key_from_json(data: Any) -> Key:
    if not isinstance(data, dict) or set(data) != set(_FIELDS):
        raise ValueError("a key does not have exactly the known members")
    alg, kid, jwk = data["alg"], data["kid"], data["jwk"]
    if not isinstance(kid, str) or alg not in ALGORITHMS:
        raise ValueError("a key has an unknown algorithm or no kid")
    if not isinstance(jwk, dict) or set(jwk) != {"kty", *ALGORITHMS[alg].public_members}:
        raise ValueError(f"the JWK of {kid} does not have exactly the public members of {alg}")
    if thumbprint(alg, jwk) != kid:
        raise ValueError(f"the JWK of {kid} is another key")
    for name in _TIMES:
        optional = data[name] is None and name != "created_at"
        if not optional and (isinstance(data[name], bool) or not isinstance(data[name], int | float)):
            raise ValueError(f"{name} of {kid} is no time")
    if not all(isinstance(data[name], bool) for name in _FLAGS):
        raise ValueError(f"the flags of {kid} are not true or false")
    return Key(**data)


def _rotated_from_json(data: Any) -> Rotated:
    match data:
        case {"count": int(count), "at": int() | float() as at, "by": str(by)}:
            return Rotated(count, float(at), by)
    raise ValueError("its rotations are malformed")


def _require_unique(kids: Iterable[str]) -> None:
    seen: set[str] = set()
    for kid in kids:
        if kid in seen:
            raise ValueError(f"{kid} is there twice")
        seen.add(kid)
