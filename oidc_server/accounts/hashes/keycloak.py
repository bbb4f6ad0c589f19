"""Keycloak's password credential, a JSON object: PBKDF2 and argon2, with their parameters beside the salt and the value.

As `kc.sh export` writes it (`secretData` and `credentialData` hold JSON in texts), as flat members, or as versions before 8 wrote it
(`hashedSaltedValue`). It is kept in the compact form of its scheme.
"""

from __future__ import annotations

from typing import Any

from ... import strict_json
from . import argon2, pbkdf2
from .foreign import ForeignHash, HashRefused, base64_of, unpadded

# "pbkdf2" alone is SHA-1, the default of the first versions.
_PBKDF2 = {"pbkdf2": "sha1", "pbkdf2-sha1": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}


def read(text: str) -> ForeignHash | None:
    if not text.startswith("{"):
        return None
    try:
        credential = _flat(strict_json.read_object(text))
    except ValueError as error:
        raise HashRefused("The Keycloak credential is not a JSON object.") from error
    algorithm, iterations = credential.get("algorithm"), credential.get("hashIterations")
    salt, value = credential.get("salt"), credential.get("value", credential.get("hashedSaltedValue"))
    if not isinstance(iterations, int) or isinstance(iterations, bool) or not 0 < iterations < 10**9:
        raise HashRefused("The Keycloak credential has no hashIterations.")
    if not isinstance(salt, str) or not isinstance(value, str) or not isinstance(algorithm, str):
        raise HashRefused(
            "The Keycloak credential needs algorithm, salt and value; exports without secrets leave them out."
        )
    if algorithm in _PBKDF2:
        return pbkdf2.read(pbkdf2.written(_PBKDF2[algorithm], iterations, base64_of(salt), base64_of(value)))
    if algorithm == "argon2":
        return argon2.read(
            _argon2(credential.get("additionalParameters"), iterations, base64_of(salt), base64_of(value))
        )
    raise HashRefused("Of Keycloak's hashes pbkdf2, pbkdf2-sha256, pbkdf2-sha512 and argon2 can be read.")


def _flat(credential: dict[str, Any]) -> dict[str, Any]:
    """The members of the object and of the JSON texts within it; those of the secret never hide the parameters."""
    found = dict(credential)
    for name in ("secretData", "credentialData"):
        inner = found.pop(name, None)
        if isinstance(inner, str):
            inner = strict_json.read_object(inner)
        if isinstance(inner, dict):
            found |= inner
    return found


def _argon2(parameters: Any, passes: int, salt: bytes, digest: bytes) -> str:
    named = {}
    for name in ("type", "version", "memory", "parallelism"):
        value = parameters.get(name) if isinstance(parameters, dict) else None
        # Each is a list of one text.
        named[name] = str(value[0] if isinstance(value, list) and value else value)
    version = _ARGON2_VERSIONS.get(named["version"])
    if version is None:
        raise HashRefused("The Keycloak credential lacks additionalParameters of argon2.")
    costs = f"m={named['memory']},t={passes},p={named['parallelism']}"
    return f"$argon2{named['type']}$v={version}${costs}${unpadded(salt)}${unpadded(digest)}"
