"""What an authenticator said, read strictly before the library sees it. WebAuthn §5.1.8 (JSON), §5.8.1 (client data)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import strict_json

MAX_CREDENTIAL_ID = 1023
MAX_JSON = 16 * 1024
#: What an authenticator of any kind may be reached by (§5.8.4); others are forgotten.
TRANSPORTS = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_CREATE = ("clientDataJSON", "attestationObject")
_GET = ("clientDataJSON", "authenticatorData", "signature")


class Refused(Exception):
    """A ceremony failed; the reason is for the log and never for the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        #: Whose passkey it was, once that is known.
        self.account_id: str | None = None


class UnknownCredential(Refused):
    """Nobody here has the credential, `credential_id` in base64url: the browser may forget it (§5.1.10.2)."""

    def __init__(self, credential_id: str) -> None:
        super().__init__("unknown credential")
        self.credential_id = credential_id


@dataclass(frozen=True)
class Response:
    """A PublicKeyCredential in its JSON form, checked for shape; `challenge` is what its client data repeats."""

    credential_id: bytes
    challenge: bytes
    json: dict[str, Any]
    transports: list[str]
    user_handle: bytes | None

    @property
    def challenge_text(self) -> str:
        return to_base64url(self.challenge)

    def bytes_of(self, name: str) -> bytes:
        return from_base64url(self.json["response"][name])


def read_created(text: str) -> Response:
    """What navigator.credentials.create() gave. Raises Refused."""
    return _read(text, _CREATE, "webauthn.create")


def read_asserted(text: str) -> Response:
    """What navigator.credentials.get() gave. Raises Refused."""
    return _read(text, _GET, "webauthn.get")


def _read(text: str, names: tuple[str, ...], ceremony: str) -> Response:
    try:
        if len(text) > MAX_JSON:
            raise ValueError
        said = strict_json.read_object(text)
        inner = said["response"]
        raw_id, credential_id = said["rawId"], from_base64url(said["rawId"])
        if said.get("type") != "public-key" or said.get("id", raw_id) != raw_id or not isinstance(inner, dict):
            raise ValueError
        # Only what is looked at goes on: no extension is asked for, and the rest is anybody's.
        decoded = {name: from_base64url(inner[name]) for name in names}
        client_data = strict_json.read_object(decoded["clientDataJSON"])
        user_handle = from_base64url(inner["userHandle"]) if inner.get("userHandle") else None
        challenge = from_base64url(client_data["challenge"])
    except (KeyError, ValueError, TypeError):
        raise Refused("malformed") from None
    _check_client_data(client_data, ceremony)
    if len(credential_id) > MAX_CREDENTIAL_ID:
        raise Refused("the credential id is too long")
    return Response(
        credential_id=credential_id,
        challenge=challenge,
        json={"rawId": raw_id, "type": "public-key", "response": {name: inner[name] for name in names}},
        transports=_transports(inner.get("transports")),
        user_handle=user_handle,
    )


def _check_client_data(client_data: Mapping[str, Any], ceremony: str) -> None:
    if client_data.get("type") != ceremony:
        raise Refused("the client data is of another ceremony")
    # Our pages refuse to be framed, so nobody has a reason to sign in from a frame (§13.4.2).
    if client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data:
        raise Refused("signed within a frame of another site")


def _transports(said: object) -> list[str]:
    if not isinstance(said, list):
        return []
    return sorted({name for name in said[:20] if isinstance(name, str)} & TRANSPORTS)


def from_base64url(text: object) -> bytes:
    """The bytes of base64url without padding, in its one canonical form (RFC 4648 §5). Raises ValueError."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(raw) != text:
        raise ValueError("not canonical")
    return raw


def to_base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
