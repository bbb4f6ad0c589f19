"""Signing in with a passkey, alone or after a password. WebAuthn §7.2."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData, UserVerificationRequirement

from ... import audit
from . import challenges, store
from .models import Passkey
from .relying_party import relying_party
from .response import Refused, Response, UnknownCredential, read_asserted, to_base64url


@dataclass(frozen=True)
class Authenticated:
    """A passkey that was used by its person; `user_verified` says whether the device asked for a PIN, finger or face."""

    passkey: Passkey
    user_verified: bool

    @property
    def account_id(self) -> str:
        return self.passkey.account_id

    @property
    def amr(self) -> list[str]:
        """RFC 8176 §2: how the key is kept, that somebody was there, and two factors when the device knows who it was."""
        return [self.passkey.amr, "user", *(["mfa"] if self.user_verified else [])]


def request_options(account_id: str | None = None) -> dict[str, Any]:
    """What navigator.credentials.get() needs, in its JSON form (WebAuthn §5.5).

    Without an account the answer is the same for everybody, known or not: no credential is named, the device offers what
    it has, and it must verify the person. With one, after their password, it names theirs.
    """
    options, _ = relying_party().authenticate_begin(
        user_verification=_verification(account_id), challenge=challenges.make(*_purpose(account_id))
    )
    found = {name: value for name, value in dict(options.public_key).items() if value is not None}
    mine = store.list_of(account_id) if account_id is not None else []
    found["allowCredentials"] = [store.descriptor(passkey) for passkey in mine]
    return found


def authenticate(text: str, account_id: str | None = None) -> Authenticated:
    """The passkey that signed our challenge; `account_id` is whose it must be when it is asked for after a password.

    The challenge is spent whatever comes out. Raises Refused, whose kinds look the same to whoever tried.
    """
    response = read_asserted(text)
    challenges.spend(response.challenge, *_purpose(account_id))
    passkey = store.find(response.credential_id)
    if passkey is None:
        raise UnknownCredential(to_base64url(response.credential_id))
    try:
        return _use(passkey, response, account_id)
    except Refused as refused:
        refused.account_id = passkey.account_id
        raise


def _use(passkey: Passkey, response: Response, account_id: str | None) -> Authenticated:
    if account_id is not None and passkey.account_id != account_id:
        raise Refused("the passkey of somebody else")
    signed = _verify(passkey, response, _verification(account_id))
    _check_user_handle(passkey, response, is_required=account_id is None)
    # Whether a key can be copied never changes, and only a key that can is ever backed up (§6.1.3).
    if signed.is_backup_eligible() != passkey.backup_eligible or signed.is_backed_up() > signed.is_backup_eligible():
        raise Refused("the backup flags contradict what was registered")
    try:
        used = store.record_use(passkey.id, sign_count=signed.counter, backed_up=signed.is_backed_up())
    except store.CopySuspected as error:
        audit.record(
            audit.PASSKEY_COPY_SUSPECTED, account_id=passkey.account_id, passkey=passkey.id, reason=error.reason
        )
        raise
    return Authenticated(used, signed.is_user_verified())


def _verify(passkey: Passkey, response: Response, verification: UserVerificationRequirement) -> AuthenticatorData:
    try:
        known = AttestedCredentialData.create(
            Aaguid.parse(passkey.aaguid),
            passkey.credential_id,
            CoseKey.parse(cbor.decode(passkey.public_key)),  # type: ignore[arg-type]
        )
        state = {"challenge": response.challenge_text, "user_verification": verification}
        relying_party().authenticate_complete(state, [known], response.json)
        return AuthenticatorData(response.bytes_of("authenticatorData"))
    except Exception as error:  # the library has no class of its own for bytes that are not what they should be
        raise Refused(f"{type(error).__name__}: {error}") from error


def _check_user_handle(passkey: Passkey, response: Response, *, is_required: bool) -> None:
    if response.user_handle is None:
        if is_required:
            raise Refused("a passkey that stands alone must say whose it is")
    elif not hmac.compare_digest(response.user_handle, store.find_user_handle(passkey.account_id) or b""):
        raise Refused("the user handle of somebody else")


def _purpose(account_id: str | None) -> tuple[str, str]:
    return ("sign in", "") if account_id is None else ("second factor", account_id)


def _verification(account_id: str | None) -> UserVerificationRequirement:
    # After a password the passkey is the second factor even when the device only asks for a touch.
    return UserVerificationRequirement.REQUIRED if account_id is None else UserVerificationRequirement.PREFERRED
