"""Recovery codes: ten words for the day the phone is lost, shown once, each good for one sign-in. SP 800-63B-4 §3.1.2.

They stand beside a factor and are none themselves: an account without a factor has none of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from ..database import now
from ..server import current_server
from . import store

#: A code that is read from a list and can be used once is a one-time password (RFC 4949), which RFC 8176 §2 calls otp.
AMR = "otp"
HOW_MANY = 10
#: 60 bits. No 0, O, 1, I: people copy these from paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 12
_GROUP = 4
_PURPOSE = "recovery codes"
_BETWEEN = re.compile(r"[\s\-]+")


def make(account_id: str) -> list[str]:
    """Ten new codes, in the place of all earlier ones: only hashes are kept, so this is the one time to show them. Inside transact()."""
    codes = [_make_one() for _ in range(HOW_MANY)]
    key = current_server.settings.derive_key(_PURPOSE)
    store.replace_recovery_codes(account_id, {_hash(key, account_id, plain(code)) for code in codes}, now())
    return codes


def use(account_id: str, text: str) -> bool:
    """Whether this is a code of the account that was not used; it is used from now on. Call inside database.transact()."""
    code = plain(text)
    keys = current_server.settings.derive_keys(_PURPOSE)
    return store.take_recovery_code(account_id, [_hash(key, account_id, code) for key in keys])


def remaining(account_id: str) -> int:
    """How many codes are left."""
    return store.count_recovery_codes(account_id)


def forget(account_id: str) -> None:
    """Delete every code. Call inside database.transact()."""
    store.replace_recovery_codes(account_id, (), now())


def plain(text: str) -> str:
    """A code as it is counted: however the person grouped and wrote it."""
    return _BETWEEN.sub("", text).upper()


def is_one(text: str) -> bool:
    """Whether a text has the form of a recovery code."""
    code = plain(text)
    return len(code) == _LENGTH and set(code) <= set(_ALPHABET)


def _make_one() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _hash(key: bytes, account_id: str, code: str) -> str:
    return hmac.new(key, f"{account_id} {code}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
