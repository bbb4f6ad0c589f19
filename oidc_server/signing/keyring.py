"""The keys this process signs and verifies with: a view of the store that is at most a second old."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from joserfc.jwk import Key as JoseKey

from .. import audit
from ..database import now
from ..settings import Settings
from .algorithms import ALGORITHMS, LEAST_RSA_BITS, UnreadableKey, parse_private
from .changes import Change, RingChanges
from .key_set import KeySetView, Signer
from .keys import Key, KeysUnusable, Ring
from .rotation import SKEW
from .stores import KeyStore

#: Seconds between two looks at whether the store has changed.
LOOK_EVERY = 1.0
_TRIES = 3

log = logging.getLogger(__name__)

#: The audit event of keys that a running worker could not read again; it goes on with those it has.
KEY_UNUSABLE = "key.unusable"


class Keyring:
    """Signs, verifies and publishes. Safe to share between threads; needs no app and no request."""

    def __init__(self, settings: Settings, store: KeyStore) -> None:
        """Read nothing yet. Raises KeysUnusable for algorithms or sizes this server does not sign with."""
        unknown = [alg for alg in settings.signing_algorithms if alg not in ALGORITHMS]
        if unknown or not settings.signing_algorithms:
            raise KeysUnusable(f"OIDC_SIGNING_ALGORITHMS takes names out of {', '.join(ALGORITHMS)}, at least one.")
        if settings.rsa_key_bits < LEAST_RSA_BITS:
            raise KeysUnusable(f"OIDC_RSA_KEY_BITS must be at least {LEAST_RSA_BITS}.")
        self.algorithms = tuple(settings.signing_algorithms)
        self.changes = RingChanges(settings, store)
        self._lead = settings.jwks_max_age + SKEW
        self._store = store
        self._lock = threading.RLock()
        self._version: object = None
        self._tried: object = None
        self._look_after = self._retry_after = 0.0
        self._signers: dict[str, Signer] = {}
        self._complaint: str | None = None
        self._view: KeySetView

    def start(self) -> None:
        """Read the keys, making the first ones in an empty store. Raises KeysUnusable."""
        version = self._store.version()
        self._adopt(version, self.changes.make_first_keys())

    def sign(self, claims: Mapping[str, Any], *, typ: str, algorithm: str | None = None) -> str:
        """A compact JWS over the claims with `alg`, `kid` and `typ` in its header, by the active key of an algorithm.

        Raises UnsupportedAlgorithm for one that is not configured.
        """
        return self._current().signer(algorithm).sign(claims, typ)

    def public(self) -> dict[str, list[dict[str, str]]]:
        """The JWKS: every key that verifiers may meet, public members only (RFC 7517 §5)."""
        return self.published().jwks

    def published(self) -> KeySetView:
        """The key set of this instant, for the JWKS endpoint: what another process has just changed is in it."""
        self._look()
        return self._current()

    def find_verification_key(self, kid: str, alg: str) -> JoseKey | None:
        """The published key of exactly this kid and algorithm; None for one that is gone, refused or never was."""
        found = self._current().find(kid, alg)
        if found is None and self._look():
            found = self._current().find(kid, alg)  # made by another process less than a second ago
        return found

    def verification_keys(self) -> list[JoseKey]:
        """Every published key: next, active and retired."""
        return self._current().verification_keys()

    @property
    def verification_algorithms(self) -> tuple[str, ...]:
        """The algorithms of the published keys: for a while also of one that is no longer configured."""
        return tuple(dict.fromkeys(str(entry["alg"]) for entry in self._current().jwks["keys"]))

    def outlive(self, lifetime: Callable[[], float]) -> None:
        """Have retired keys stay published for tokens that live this many seconds; asked at each planned rotation."""
        self.changes.lifetimes.append(lifetime)

    def rotate(self, kind: str = "planned", *, asked_at: float | None = None) -> Change:
        """Turn the ring now: "planned", "emergency" or "everything" (rotation.py says what each replaces).

        Of simultaneous callers one rotates; the others find it done, unless theirs is the graver kind. `asked_at`,
        seconds since the epoch, counts a rotation by another process since then as simultaneous too.
        Raises KeysUnusable.
        """
        version = self._store.version()
        change = self.changes.rotate(kind, asked_at)
        self._adopt(version, change.after)
        return change

    def upkeep(self) -> None:
        """Do what is due: a scheduled rotation, deleting what has served. Of all processes one does it."""
        try:
            version = self._store.version()
            change = self.changes.keep_up()
            if change:
                self._adopt(version, change.after)
        except KeysUnusable as error:
            self._complain(str(error))

    def _current(self) -> KeySetView:
        if monotonic() >= self._look_after:
            self._look(wait=False)
        view, at = self._view, now()
        if view.since <= at < view.until:
            return view
        with self._lock:
            try:
                self._view = self._view_of(self._view.ring, at)
            except KeysUnusable as error:  # a clock set back far, to a key whose private part has been deleted
                self._complain(str(error))
            return self._view

    def _look(self, *, wait: bool = True) -> bool:
        """Reload if the store has changed, and say so; whatever is wrong there, the good keys stay."""
        if not self._lock.acquire(blocking=wait):
            return False  # another thread is looking
        try:
            self._look_after = monotonic() + LOOK_EVERY
            version = self._store.version()
            if version == self._version or (version == self._tried and monotonic() < self._retry_after):
                return False
            self._tried, self._retry_after = version, monotonic() + LOOK_EVERY
            self._adopt(version, self.changes.ring())
            return True
        except KeysUnusable as error:
            self._complain(str(error))
            return False
        finally:
            self._lock.release()

    def _adopt(self, version: object, ring: Ring) -> None:
        """Make a ring the one in use; `version` was read before it, so at worst the next look reloads once more."""
        with self._lock:
            for _ in range(_TRIES):
                try:
                    self._view = self._view_of(ring, now())
                    break
                except KeysUnusable:
                    # Another process may have rotated, and deleted a private key, after we read which there are.
                    newer = self._store.version()
                    if newer == version:
                        raise
                    version, ring = newer, self.changes.ring()
            else:
                raise KeysUnusable("The signing keys keep changing while they are read; try again.")
            self._version = version
            self._look_after = monotonic() + LOOK_EVERY
            self._complaint = None

    def _view_of(self, ring: Ring, at: float) -> KeySetView:
        # Also the next keys: their switch must not depend on a file. Each private key is parsed once.
        may_sign = [key for key in ring.keys if key.state(at) in ("next", "active")]
        signers = {key.kid: self._signers.get(key.kid) or self._signer(key) for key in may_sign}
        view = KeySetView(ring, signers, self.algorithms, self._lead, at)
        self._signers = signers
        return view

    def _signer(self, key: Key) -> Signer:
        try:
            return Signer(key, parse_private(key.alg, key.kid, self._store.private_key(key.kid)))
        except UnreadableKey as error:
            raise KeysUnusable(
                f"{self._store.where(key.kid)} {error}. Restore it from a backup, or move all keys away: then new "
                f"ones are made, and every token signed so far becomes invalid."
            ) from error

    def _complain(self, sentence: str) -> None:
        if sentence != self._complaint:
            self._complaint = sentence
            log.error("Signing goes on with the keys read before: %s", sentence)
            audit.record(KEY_UNUSABLE, detail=sentence)
