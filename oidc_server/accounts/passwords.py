"""How passwords are hashed and verified.

A stored hash names its scheme first: `bcrypt-hmac-sha256$v1$<bcrypt hash>$<pepper id>` is bcrypt over
base64(HMAC-SHA256(pepper, NFKC(password))), so that neither 72 bytes nor a NUL cuts anything, and nothing but the
password goes in. Another scheme is one entry in SCHEMES: it verifies, and is hashed anew at the next sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import bcrypt
from flask import Flask, current_app

from ..settings import Settings

log = logging.getLogger(__name__)

#: Characters of a password, counted before anything is computed from it.
MAX_LENGTH = 4096

CURRENT_SCHEME = "bcrypt-hmac-sha256"
_PEPPER_PURPOSE = "password pepper"
_BCRYPT_LETTERS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# Waiting longer than this for a turn (seconds) helps nobody: the person is told to try again.
_LONGEST_WAIT = 4.0


class Busy(Exception):
    """All hash slots and the queue before them are taken; `retry_after` is in whole seconds (503, Retry-After)."""

    retry_after = 2


class HashSlots:
    """At most `slots` password hashes at a time, with a short queue, so that sign-ins do not starve everything else."""

    def __init__(self, slots: int, waiting: int) -> None:
        self._running = threading.BoundedSemaphore(slots)
        self._admitted = threading.BoundedSemaphore(slots + waiting)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place in the queue, which is cheap to refuse before anything was done. Raises Busy."""
        if not self._admitted.acquire(blocking=False):
            raise Busy
        try:
            yield
        finally:
            self._admitted.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the slots. Raises Busy when no turn comes in time."""
        if not self._running.acquire(timeout=_LONGEST_WAIT):
            raise Busy
        try:
            yield
        finally:
            self._running.release()


class Peppers:
    """The keys of the HMAC: the one that new hashes use, and earlier ones whose hashes still verify."""

    def __init__(self, settings: Settings) -> None:
        derived = settings.derive_keys(_PEPPER_PURPOSE)
        configured = settings.password_pepper.encode()
        # Hashes made before a pepper was configured keep working, and move to it at the next sign-in.
        self._keys = {_pepper_id(key): key for key in ((configured, *derived) if configured else derived)}
        self.current_id = next(iter(self._keys))

    def apply(self, password: str, pepper_id: str) -> bytes:
        """The 44 bytes that bcrypt gets to see. Raises KeyError for a pepper that is gone."""
        normalised = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        return base64.b64encode(hmac.digest(self._keys[pepper_id], normalised, hashlib.sha256))


class Passwords:
    """The password hashing of one app."""

    def __init__(self, settings: Settings) -> None:
        self.peppers = Peppers(settings)
        # serve.py gives a process two threads more than its pool has connections: those two are never sign-ins.
        waiting = max(settings.password_hash_slots, settings.database_pool_size - settings.password_hash_slots)
        self.slots = HashSlots(settings.password_hash_slots, waiting)
        self.cost = settings.bcrypt_cost
        self._nobody = _never_matching(self.cost, self.peppers.current_id)

    def hash(self, password: str) -> str:
        """A new hash of the current scheme and cost. Raises Busy, and ValueError for what _checked() refuses."""
        peppered = self.peppers.apply(_checked(password), self.peppers.current_id)
        with self.slots.turn():
            made = bcrypt.hashpw(peppered, bcrypt.gensalt(self.cost)).decode()
        return f"{CURRENT_SCHEME}$v1${made}${self.peppers.current_id}"

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one behind the stored hash; without a hash the same work is done for nothing.

        Raises Busy, and ValueError for what _checked() refuses.
        """
        _checked(password)
        scheme, _, rest = (stored or self._nobody).partition("$")
        with self.slots.turn():
            try:
                matches = SCHEMES[scheme](rest, password, self.peppers)
            except (KeyError, ValueError) as error:
                log.error("a password hash of scheme %s cannot be verified (%s)", scheme[:40], type(error).__name__)
                matches = SCHEMES[CURRENT_SCHEME](self._nobody.partition("$")[2], password, self.peppers)
        return matches and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether a stored hash has another scheme, cost or pepper than a new one would."""
        hashed_like = f"{CURRENT_SCHEME}$v1$$2b${self.cost:02d}$"
        return not (stored.startswith(hashed_like) and stored.endswith(f"${self.peppers.current_id}"))


def verify_bcrypt_hmac_sha256(rest: str, password: str, peppers: Peppers) -> bool:
    """`v1$<bcrypt hash>$<pepper id>`. Raises ValueError or KeyError when it is not of that form."""
    version, _, hashed_and_pepper = rest.partition("$")
    hashed, _, pepper_id = hashed_and_pepper.rpartition("$")
    if version != "v1":
        raise ValueError("unknown version")
    return bcrypt.checkpw(peppers.apply(password, pepper_id), hashed.encode())


#: scheme -> verify(what follows the scheme's name, password, peppers)
SCHEMES: dict[str, Callable[[str, str, Peppers], bool]] = {CURRENT_SCHEME: verify_bcrypt_hmac_sha256}


def mount(app: Flask, settings: Settings) -> None:
    app.extensions["oidc_passwords"] = Passwords(settings)


def current_passwords() -> Passwords:
    """The password hashing of the current app."""
    return cast(Passwords, current_app.extensions["oidc_passwords"])


def generate() -> str:
    """A password nobody chose: 100 random bits in letters that cannot be confused, in groups for reading aloud."""
    letters = [secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(20)]
    return "-".join("".join(letters[start : start + 5]) for start in range(0, 20, 5))


def _checked(password: str) -> str:
    if not isinstance(password, str):
        raise ValueError("a password is a text")
    if len(password) > MAX_LENGTH:
        raise ValueError(f"a password has at most {MAX_LENGTH} characters")
    return password


def _pepper_id(key: bytes) -> str:
    return hmac.digest(key, b"pepper id", hashlib.sha256)[:4].hex()


def _never_matching(cost: int, pepper_id: str) -> str:
    """A well-formed hash of that cost that no password has: verifying it takes as long as verifying a real one."""
    digest = "".join(secrets.choice(_BCRYPT_LETTERS) for _ in range(31))
    return f"{CURRENT_SCHEME}$v1${bcrypt.gensalt(cost).decode()}{digest}${pepper_id}"
