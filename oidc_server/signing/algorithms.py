"""The signature algorithms: how each makes a key, reads it back, and signs (RFC 7518 §3, RFC 8037 §3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

#: RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used".
LEAST_RSA_BITS = 2048


class UnreadableKey(ValueError):
    """A private key cannot be used; the message continues a sentence that begins with where the key is."""


@dataclass(frozen=True)
class Algorithm:
    """One JWS algorithm. `public_members` are all that a JWK of it may hold besides kty, kid, use and alg."""

    key_type: type[PrivateKey]
    jwk_type: type[RSAKey] | type[ECKey] | type[OKPKey]
    public_members: tuple[str, ...]
    crv: str | None
    generate: Callable[[int], PrivateKey]
    sign: Callable[[Any, bytes], bytes]


def _generate_rsa(bits: int) -> PrivateKey:
    return generate_private_key(65537, bits)


def _generate_p256(_bits: int) -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _generate_ed25519(_bits: int) -> PrivateKey:
    return Ed25519PrivateKey.generate()


def _sign_rsa(scheme: padding.AsymmetricPadding, key: RSAPrivateKey, data: bytes) -> bytes:
    return key.sign(data, scheme, SHA256())


def _sign_p256(key: EllipticCurvePrivateKey, data: bytes) -> bytes:
    # RFC 7518 §3.4: R and S side by side, 32 octets each, where OpenSSL makes DER.
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _sign_ed25519(key: Ed25519PrivateKey, data: bytes) -> bytes:
    return key.sign(data)


_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)  # RFC 7518 §3.5: the salt is as long as the hash

ALGORITHMS: dict[str, Algorithm] = {
    "RS256": Algorithm(RSAPrivateKey, RSAKey, ("n", "e"), None, _generate_rsa, partial(_sign_rsa, _PKCS1)),
    "PS256": Algorithm(RSAPrivateKey, RSAKey, ("n", "e"), None, _generate_rsa, partial(_sign_rsa, _PSS)),
    "ES256": Algorithm(EllipticCurvePrivateKey, ECKey, ("crv", "x", "y"), "P-256", _generate_p256, _sign_p256),
    "EdDSA": Algorithm(Ed25519PrivateKey, OKPKey, ("crv", "x"), "Ed25519", _generate_ed25519, _sign_ed25519),
}


def generate(alg: str, rsa_bits: int) -> tuple[str, dict[str, str], bytes]:
    """A new key pair: its kid (RFC 7638 thumbprint), its public JWK and its private key as PKCS #8 PEM."""
    private = ALGORITHMS[alg].generate(rsa_bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    jwk = _public_jwk(alg, private)
    return thumbprint(alg, jwk), jwk, pem


def parse_private(alg: str, kid: str, pem: bytes) -> PrivateKey:
    """The private key in a PEM file, checked to be the one that `kid` names.

    Raises UnreadableKey for one that is corrupt, encrypted, public, too short, or another key.
    """
    if b"PRIVATE KEY-----" not in pem:
        raise UnreadableKey("holds only a public key" if b"PUBLIC KEY-----" in pem else "is not a private key in PEM")
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UnreadableKey("is encrypted with a passphrase, which this server never does") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnreadableKey("is corrupt or cut short") from error
    if not isinstance(private, PrivateKey) or not isinstance(private, ALGORITHMS[alg].key_type):
        raise UnreadableKey(f"is no key for {alg}")
    if isinstance(private, RSAPrivateKey) and private.key_size < LEAST_RSA_BITS:
        raise UnreadableKey(f"is an RSA key of {private.key_size} bits, less than {LEAST_RSA_BITS}")
    if isinstance(private, EllipticCurvePrivateKey) and not isinstance(private.curve, ec.SECP256R1):
        raise UnreadableKey(f"is on the curve {private.curve.name}, {alg} needs P-256")
    if thumbprint(alg, _public_jwk(alg, private)) != kid:
        raise UnreadableKey("is not the key that keyring.json names")
    return private


def public_key(alg: str, jwk: dict[str, str]) -> Key:
    """The joserfc key of a public JWK. Raises ValueError when it is malformed."""
    algorithm = ALGORITHMS[alg]
    try:
        if jwk.get("crv") != algorithm.crv:
            raise ValueError(f"{alg} needs the curve {algorithm.crv}")
        return algorithm.jwk_type.import_key(dict(jwk))
    except (JoseError, TypeError, KeyError) as error:
        raise ValueError(f"it is no public key for {alg}") from error


def thumbprint(alg: str, jwk: dict[str, str]) -> str:
    """The base64url SHA-256 thumbprint of a JWK (RFC 7638 §3)."""
    return public_key(alg, jwk).thumbprint()


def _public_jwk(alg: str, private: PrivateKey) -> dict[str, str]:
    algorithm = ALGORITHMS[alg]
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # Named one by one: whatever a library adds to its export one day, nothing private can slip through (JW-24).
    exported = algorithm.jwk_type.import_key(public).as_dict(private=False)
    return {name: str(exported[name]) for name in ("kty", *algorithm.public_members)}
