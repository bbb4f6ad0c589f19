"""An authenticator in software, written from the specification: it makes keys and signs as devices do, and lies when told to.

WebAuthn Level 3 §6.1 (authenticator data), §6.5 (attestation), §5.8.1 (client data). CBOR is written by hand, so that the
server is not held to the library that it uses itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ES256, EDDSA, RS256 = -7, -8, -257
APPLE = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """The few types of RFC 8949 that are needed here."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    raise TypeError(value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for extra, form in ((24, ">B"), (25, ">H"), (26, ">I")):
        if number < 1 << (8 * struct.calcsize(form)):
            return bytes([major << 5 | extra]) + struct.pack(form, number)
    raise ValueError(number)


@dataclass
class Authenticator:
    """One device with one credential; `flags` and `counter` are what it says next, `origin` what its browser says."""

    origin: str
    rp_id: str
    algorithm: int = ES256
    flags: int = UP | UV
    counter: int = 0
    aaguid: str = "00000000-0000-0000-0000-000000000000"
    transports: list[str] = field(default_factory=lambda: ["internal"])
    client_data: dict[str, Any] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes | None = None
    rsa_bits: int = 2048
    key: Any = field(init=False)

    def __post_init__(self) -> None:
        if self.algorithm == ES256:
            self.key = ec.generate_private_key(ec.SECP256R1())
        elif self.algorithm == EDDSA:
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = rsa.generate_private_key(65537, self.rsa_bits)

    def create(self, options: dict[str, Any], **changes: Any) -> str:
        """What navigator.credentials.create() would give, as the page sends it."""
        self.user_handle = decode(options["user"]["id"])
        attested = (
            bytes.fromhex(self.aaguid.replace("-", ""))
            + struct.pack(">H", len(self.credential_id))
            + self.credential_id
            + changes.pop("cose", cbor(self.cose()))
        )
        data = self._authenticator_data(AT) + attested
        attestation = changes.pop("attestation", cbor({"fmt": "none", "attStmt": {}, "authData": data}))
        client_data = self._client_data("webauthn.create", options["challenge"])
        response = {"clientDataJSON": encode(client_data), "attestationObject": encode(attestation)}
        return self._credential(response | {"transports": self.transports}, changes)

    def get(self, options: dict[str, Any], **changes: Any) -> str:
        """What navigator.credentials.get() would give, as the page sends it."""
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(0)
        signature = self.sign(data + hashlib.sha256(client_data).digest())
        response = {"clientDataJSON": encode(client_data), "authenticatorData": encode(data)}
        response["signature"] = encode(signature)
        if self.user_handle is not None:
            response["userHandle"] = encode(self.user_handle)
        return self._credential(response, changes)

    def sign(self, message: bytes) -> bytes:
        if self.algorithm == ES256:
            return bytes(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        if self.algorithm == EDDSA:
            return bytes(self.key.sign(message))
        return bytes(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256()))

    def cose(self) -> dict[int, Any]:
        """The public key (RFC 9053 §7)."""
        public = self.key.public_key()
        if self.algorithm == ES256:
            numbers = public.public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        if self.algorithm == EDDSA:
            return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes(Encoding.Raw, PublicFormat.Raw)}
        numbers = public.public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {1: 3, 3: self.algorithm, -1: numbers.n.to_bytes(size, "big"), -2: numbers.e.to_bytes(3, "big")}

    def _authenticator_data(self, more: int) -> bytes:
        rp_id_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_id_hash + struct.pack(">BI", self.flags | more, self.counter)

    def _client_data(self, ceremony: str, challenge: str) -> bytes:
        said = {"type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.client_data).encode()

    def _credential(self, response: dict[str, Any], changes: dict[str, Any]) -> str:
        identifier = encode(self.credential_id)
        whole = {"id": identifier, "rawId": identifier, "type": "public-key"}
        return json.dumps(whole | {"response": response | changes.pop("response", {})} | changes)
