"""The changes to the stored ring: each alone among all processes, each recorded in the audit log."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from .. import audit
from ..database import now
from ..settings import Settings
from .keys import KeysUnusable, Ring
from .rotation import SKEW, Policy, complete, due, is_complete, rotate, rotate_due, rotate_in_emergency, tidy
from .stores import KeyStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """The ring before and after, both as they were while nobody else could change it.

    `done` is False when there was nothing to do: another process had just done it.
    """

    done: bool
    before: Ring
    after: Ring

    @property
    def new_kids(self) -> list[str]:
        known = {key.kid for key in self.before.keys}
        return [key.kid for key in self.after.keys if key.kid not in known]

    @property
    def refused_kids(self) -> list[str]:
        known = {key.kid for key in self.before.keys if key.emergency}
        return [key.kid for key in self.after.keys if key.emergency and key.kid not in known]


class RingChanges:
    """What turns the ring, by the times of rotation.py and the settings."""

    def __init__(self, settings: Settings, store: KeyStore) -> None:
        self._settings = settings
        self._store = store
        #: Each answers how many seconds a kind of token lives at most.
        self.lifetimes: list[Callable[[], float]] = []

    def ring(self) -> Ring:
        """Every key with its times, as the store has them now. Raises KeysUnusable."""
        return _require_keys(self._store.load())

    def make_first_keys(self) -> Ring:
        """The ring, with the first keys of each algorithm made where they are missing. Raises KeysUnusable."""
        ring, policy = self._store.load(), self._policy(lifetimes=False)
        if ring is not None and is_complete(ring, policy):
            return ring
        change = self._alone(lambda found: complete(found, policy, now()))
        if change.done:
            log.warning("Signing keys were made: %s", ", ".join(change.new_kids))
            audit.record(audit.KEY_CREATED, kids=change.new_kids)
        return change.after

    def rotate(self, kind: str, asked_at: float | None) -> Change:
        """Turn the ring now. Raises KeysUnusable. Keyring.rotate() says what the arguments mean."""
        seen = self.ring()

        def work(found: Ring) -> Ring:
            _require_keys(found)
            if found.rotated_since(seen, kind) or _rotated_by_another(found, kind, asked_at):
                return found
            at, by = now(), _process()
            if kind == "planned":
                return tidy(rotate(found, self._policy(), at, by), at)
            # Without the lifetimes: nothing retires here, and an emergency must not wait for a database.
            policy = self._policy(lifetimes=False)
            return tidy(rotate_in_emergency(found, policy, at, by, everything=kind == "everything"), at)

        return _recorded(kind, self._alone(work))

    def keep_up(self) -> Change | None:
        """Do what is due, or None: a scheduled rotation, deleting what has served. Raises KeysUnusable."""
        found, at, policy = self.ring(), now(), self._policy(lifetimes=False)
        if is_complete(found, policy) and not due(found, policy, at) and tidy(found, at) == found:
            return None
        policy = self._policy()

        def work(found: Ring) -> Ring:
            whole = complete(_require_keys(found), policy, at)
            return tidy(rotate_due(whole, policy, at, _process()), at)

        return _recorded("planned", self._alone(work))

    def next_switch(self) -> float | None:
        """When the schedule switches keys next, if it does, seconds since the epoch. Raises KeysUnusable."""
        ring, policy = self.ring(), self._policy(lifetimes=False)
        planned = [key.retired_at for key in ring.keys if key.state(now()) == "active" and key.retired_at is not None]
        lasts = [
            last.active_from for alg in policy.algorithms if (last := ring.last(alg)) and last.active_from is not None
        ]
        scheduled = [since + policy.period for since in lasts] if policy.period else []
        return min([*planned, *scheduled], default=None)

    def _alone(self, work: Callable[[Ring], Ring]) -> Change:
        before = Ring()

        def remember(found: Ring) -> Ring:
            nonlocal before
            before = found
            return work(found)

        after = self._store.change(remember)
        return Change(after != before, before, after)

    def _policy(self, *, lifetimes: bool = True) -> Policy:
        settings = self._settings
        longest: float = max(settings.access_token_lifetime, settings.id_token_lifetime)
        if lifetimes:
            longest = max([longest, *(lifetime() for lifetime in self.lifetimes)])
        return Policy(
            algorithms=tuple(settings.signing_algorithms),
            rsa_bits=settings.rsa_key_bits,
            lead=settings.jwks_max_age + SKEW,
            stay=longest + SKEW,
            period=settings.key_rotation_days * 86400,
        )


def _require_keys(ring: Ring | None) -> Ring:
    if ring is None or not ring.keys:
        raise KeysUnusable("The signing keys have disappeared; restore them, or restart the server to make new ones.")
    return ring


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _rotated_by_another(ring: Ring, kind: str, asked_at: float | None) -> bool:
    last = ring.last_rotation(kind)
    return asked_at is not None and last is not None and last.at >= asked_at and last.by != _process()


def _recorded(kind: str, change: Change) -> Change:
    if change.after.rotations != change.before.rotations:
        audit.record(audit.KEY_ROTATED, kind=kind, new_kids=change.new_kids)
    if change.refused_kids:
        audit.record(audit.KEY_REVOKED, kids=change.refused_kids)
    return change
