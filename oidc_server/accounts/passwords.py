"""How passwords are hashed and verified.

A stored hash names its scheme first: `bcrypt-hmac-sha256$v1$<bcrypt hash>$<pepper id>` is bcrypt over
base64(HMAC-SHA256(pepper, NFKC(password))), so that neither 72 bytes nor a NUL cuts anything, and nothing but the
password goes in. Another scheme of ours is one entry in SCHEMES, those of other systems are read by hashes/: they verify,
and are hashed anew at the next sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
import unicodedata
from collections.abc import Callable
from typing import cast

import bcrypt
from flask import Flask, current_app

from ..settings import Settings
from . import hashes
from .hash_slots import HashSlots
from .hashes.foreign import spellings
from .hashes.pace import Pace

log = logging.getLogger(__name__)

#: Characters of a password, counted before anything is computed from it.
MAX_LENGTH = 4096

CURRENT_SCHEME = "bcrypt-hmac-sha256"
_PEPPER_PURPOSE = "password pepper"
_BCRYPT_LETTERS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


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

    def __contains__(self, pepper_id: str) -> bool:
        return pepper_id in self._keys


class Passwords:
    """The password hashing of one app."""

    def __init__(self, settings: Settings) -> None:
        self.peppers = Peppers(settings)
        # serve.py gives a process two threads more than its pool has connections: those two are never sign-ins.
        waiting = max(settings.password_hash_slots, settings.database_pool_size - settings.password_hash_slots)
        self.slots = HashSlots(settings.password_hash_slots, waiting)
        self.pace = Pace()
        self.cost = settings.bcrypt_cost
        self._nobody = _never_matching(self.cost, self.peppers.current_id)

    def hash(self, password: str) -> str:
        """A new hash of the current scheme and cost. Raises Busy, and ValueError for what _checked() refuses."""
        peppered = self.peppers.apply(_checked(password), self.peppers.current_id)
        made = self.slots.compute(lambda: bcrypt.hashpw(peppered, bcrypt.gensalt(self.cost))).decode()
        return f"{CURRENT_SCHEME}$v1${made}${self.peppers.current_id}"

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one behind the stored hash; without a hash the same work is done for nothing.

        Raises Busy, and ValueError for what _checked() refuses.
        """
        _checked(password)
        matches, kind, taken = self.slots.compute(lambda: self._timed(password, stored or self._nobody))
        time.sleep(self.pace.rest(kind, taken, spellings=len(spellings(password))))
        return matches and stored is not None

    def _timed(self, password: str, stored: str) -> tuple[bool, str, float]:
        started = time.perf_counter()
        matches, kind = self._matches(password, stored)
        return matches, kind, time.perf_counter() - started

    def _matches(self, password: str, stored: str) -> tuple[bool, str]:
        """Whether they match, and the kind of hash that was computed."""
        try:
            if is_ours(stored):
                scheme, _, rest = stored.partition("$")
                return SCHEMES[scheme](rest, password, self.peppers), _cost_of(stored)
            foreign = hashes.read(stored)
            return foreign.verify(password), foreign.cost
        except (KeyError, ValueError) as error:
            log.error("a stored password hash cannot be verified (%s)", type(error).__name__)
            SCHEMES[CURRENT_SCHEME](self._nobody.partition("$")[2], password, self.peppers)
            return False, _cost_of(self._nobody)

    def adopt(self, text: str) -> str:
        """A hash that came from elsewhere, as it is kept: another system's, or one of ours. Raises hashes.HashRefused."""
        if not is_ours(text):
            return hashes.read(text).stored
        found = _OURS.fullmatch(text)
        if found is None or int(found[1]) > max(hashes.bcrypt.MOST_COST, self.cost):
            raise hashes.HashRefused("The hash looks like one of this server's, but was cut or changed.")
        if found[2] not in self.peppers:
            raise hashes.HashRefused(
                "The hash was made under another OIDC_PASSWORD_PEPPER or OIDC_SECRET_KEY than this server has."
            )
        return text

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


_OURS = re.compile(rf"{CURRENT_SCHEME}\$v1\$\$2b\$(\d\d)\$[./A-Za-z0-9]{{53}}\$([0-9a-f]{{8}})", re.ASCII)


def is_ours(stored: str) -> bool:
    """Whether a hash is of one of our own schemes, and not another system's."""
    return stored.partition("$")[0] in SCHEMES


def _cost_of(stored: str) -> str:
    """Scheme, version and cost of one of our own hashes: what decides how long it takes."""
    return " ".join(stored.split("$")[:5])


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
