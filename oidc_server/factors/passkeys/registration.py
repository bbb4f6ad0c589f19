"""Adding a passkey: discoverable, and verifying the person, so that it can stand alone as well as beside a password. WebAuthn §7.1."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.webauthn import (
    AuthenticatorData,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ...accounts import Account
from ...database import now
from . import challenges, providers, store
from .models import Passkey
from .relying_party import ALGORITHMS, relying_party
from .response import Refused, Response, read_created

_PURPOSE = "add a passkey"
_RSA = -257
# A modulus and an exponent beyond these only cost time.
_RSA_BITS = range(2048, 4097)
_RSA_EXPONENT_BITS = range(2, 65)


def creation_options(account: Account, *, sid: str) -> dict[str, Any]:
    """What navigator.credentials.create() needs, in its JSON form (WebAuthn §5.4); `sid` is the session that asks."""
    user = PublicKeyCredentialUserEntity(
        id=store.user_handle(account.id),
        name=account.email or account.username,
        display_name=str(account.claims.get("name") or account.username),
    )
    options, _ = relying_party().register_begin(
        user,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenges.make(_PURPOSE, _subject(account.id, sid)),
    )
    found = _plain(options.public_key)
    # An authenticator that has one of these says so instead of making a second one.
    found["excludeCredentials"] = [store.descriptor(passkey) for passkey in store.list_of(account.id)]
    return found


def accept(account: Account, text: str, *, sid: str, name: str = "") -> Passkey:
    """The passkey that the browser made for this account and session, for store.add(); the challenge is spent whatever comes out.

    Without a name it is called after its provider. Raises Refused and NameRefused.
    """
    chosen = store.name_of(name) if name.strip() else ""
    response = read_created(text)
    challenges.spend(response.challenge, _PURPOSE, _subject(account.id, sid))
    signed = _verify(response)
    attested = signed.credential_data
    if attested is None or attested.credential_id != response.credential_id:
        raise Refused("the credential id differs from the attested one")
    if signed.is_backed_up() and not signed.is_backup_eligible():
        raise Refused("backed up although it cannot be")
    _check_key(attested.public_key)
    aaguid = str(attested.aaguid)
    return Passkey(
        id=secrets.token_hex(16),
        account_id=account.id,
        credential_id=response.credential_id,
        public_key=cbor.encode(attested.public_key),
        sign_count=signed.counter,
        transports=response.transports,
        aaguid=aaguid,
        name=chosen or providers.name_of(aaguid) or "Passkey",
        backup_eligible=signed.is_backup_eligible(),
        backed_up=signed.is_backed_up(),
        created_at=now(),
        last_used_at=None,
    )


def _verify(response: Response) -> AuthenticatorData:
    state = {
        "challenge": response.challenge_text,
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    try:
        return relying_party().register_complete(state, response.json)
    except Exception as error:  # the library has no class of its own for bytes that are not what they should be
        raise Refused(f"{type(error).__name__}: {error}") from error


def _check_key(key: CoseKey) -> None:
    """Only the algorithms that were asked for, and only keys that verify anything at all (the library checks neither)."""
    if key.get(3) not in ALGORITHMS:
        raise Refused("the key is of an algorithm that was not asked for")
    try:
        if key[3] == _RSA:
            modulus, exponent = (int.from_bytes(key[part], "big").bit_length() for part in (-1, -2))
            if modulus not in _RSA_BITS or exponent not in _RSA_EXPONENT_BITS:
                raise Refused("the RSA key is too small or too large")
        key.verify(b"", b"")
    except InvalidSignature:
        return  # the key was whole enough to find out
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"the key cannot be used: {type(error).__name__}") from error


def _subject(account_id: str, sid: str) -> str:
    return f"{account_id} {sid}"


def _plain(options: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(options).items() if value is not None}
