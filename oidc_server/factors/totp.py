"""Authenticator apps: time-based one-time passwords. RFC 6238 with RFC 4226: SHA-1, 30 seconds, 6 digits.

A code counts in its own time step and the ones beside it, because clocks differ, and never twice (RFC 6238 §5.2): an account
remembers the latest step it was used in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..accounts import Account
from ..database import now
from ..server import current_server
from . import store
from .factor import Factor
from .models import TotpSecret

KIND = "totp"
OWNER = TotpSecret.account_id
#: RFC 8176 §2.
AMR = "otp"
DIGITS = 6
PERIOD = 30
#: Steps before and after the present one that count (RFC 6238 §6).
STEPS_ASIDE = 1
SECRET_BYTES = 20
#: Authenticator apps of one account.
MOST = 10
_NONCE_BYTES = 12
_PURPOSE = "totp"


def make_secret() -> bytes:
    """160 random bits, as RFC 4226 §4 recommends."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226 §5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_now() -> int:
    """The present time step (RFC 6238 §4.2)."""
    return int(now() // PERIOD)


def matching_step(secret: bytes, code: str, after: int) -> int | None:
    """The step of this code among those that count now and come after step `after`; None when it is none of theirs."""
    present = step_now()
    found = None
    # All are compared, so that the time tells nothing about which one fits.
    for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1):
        fits = hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "surrogatepass"))
        if fits and step > after and found is None:
            found = step
    return found


def use(account_id: str, code: str) -> bool:
    """Whether this is a code of one of the account's apps that was not used before; it is used from now on. Inside transact()."""
    rows = store.locked_totp_secrets(account_id)
    latest = max((row.last_step for row in rows), default=-1)
    for row in rows:
        secret = unseal(row.sealed, row.id)
        step = matching_step(secret, code, latest) if secret is not None else None
        if step is not None:
            row.last_step, row.last_used_at = step, now()
            return True
    return False


def add(account_id: str, secret: bytes, code: str, name: str) -> Factor | None:
    """Keep a secret once a code shows that the app has it; None when the code does not. Call inside database.transact().

    The code that shows it is used up by that. Raises TooManyFactors.
    """
    rows = store.locked_totp_secrets(account_id)
    if len(rows) >= MOST:
        raise store.TooManyFactors
    step = matching_step(secret, code, -1)  # nobody has seen a code of this secret before
    if step is None:
        return None
    identifier = secrets.token_hex(16)
    row = TotpSecret(
        id=identifier,
        account_id=account_id,
        name=name,
        sealed=seal(secret, identifier),
        last_step=step,
        created_at=now(),
        last_used_at=None,
    )
    store.insert_totp_secret(row)
    return _factor(row)


def list_of(account_id: str) -> list[Factor]:
    """The authenticator apps of an account, the oldest first."""
    return [_factor(row) for row in store.totp_secrets(account_id)]


def remove(account_id: str, factor_id: str) -> bool:
    """Delete one; False when the account has no such app. Call inside database.transact()."""
    return store.delete_totp_secret(account_id, factor_id)


def uri(secret: bytes, account: Account) -> str:
    """What the QR code says, in the key URI format that authenticator apps read."""
    host = urlsplit(current_server.settings.issuer).netloc
    label = f"{quote(host, safe='')}:{quote(account.email or account.username, safe='@')}"
    parameters = (
        f"secret={text_of(secret)}&issuer={quote(host, safe='')}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )
    return f"otpauth://totp/{label}?{parameters}"


def text_of(secret: bytes) -> str:
    """The secret as people type it: base32 (RFC 4648 §6)."""
    return base64.b32encode(secret).decode().rstrip("=")


def seal(secret: bytes, context: str) -> bytes:
    """The secret under the server's key, bound to where it is kept."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(current_server.settings.derive_key(_PURPOSE)).encrypt(nonce, secret, context.encode())


def unseal(sealed: bytes, context: str) -> bytes | None:
    """The secret, also when it was sealed under one of secret_key_fallbacks; None when no key fits."""
    for key in current_server.settings.derive_keys(_PURPOSE):
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except InvalidTag:
            continue
    return None


def _factor(row: TotpSecret) -> Factor:
    return Factor(KIND, row.id, row.name, row.created_at, row.last_used_at)
