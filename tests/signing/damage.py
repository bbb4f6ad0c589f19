"""Everything that can be wrong with a folder of keys, by name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def active_pem(folder: Path) -> Path:
    keys = json.loads((folder / "keyring.json").read_text())["keys"]
    return next(folder / f"{key['kid']}.pem" for key in keys if key["active_from"] is not None)


def waiting_pem(folder: Path) -> Path:
    keys = json.loads((folder / "keyring.json").read_text())["keys"]
    return next(folder / f"{key['kid']}.pem" for key in keys if key["active_from"] is None)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def public_only(path: Path) -> None:
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    put(path, private.public_key().public_bytes(serialization.Encoding.PEM, spki))


def encrypted(path: Path) -> None:
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    put(path, pem_of(private, b"passphrase"))


def one_byte_changed(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[12] = lines[12][:20] + (b"A" if lines[12][20:21] != b"A" else b"B") + lines[12][21:]
    put(path, b"\n".join(lines))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "is missing"),
    "empty": (lambda path: put(path, b""), "is not a private key"),
    "cut short": (lambda path: put(path, path.read_bytes()[:900]), "corrupt or cut short"),
    "one byte changed": (one_byte_changed, "corrupt or cut short|another|is not the key"),
    "noise": (lambda path: put(path, os.urandom(1700)), "is not a private key"),
    "public only": (public_only, "holds only a public key"),
    "passphrase": (encrypted, "passphrase"),
    "another key": (lambda path: put(path, pem_of(rsa.generate_private_key(65537, 2048))), "is not the key"),
    "another kind": (lambda path: put(path, pem_of(ec.generate_private_key(ec.SECP256R1()))), "is no key for RS256"),
    "too short": (lambda path: put(path, pem_of(rsa.generate_private_key(65537, 1024))), "1024 bits"),
    "readable": (lambda path: path.chmod(0o644), "can be read by others.*chmod 600 "),
    "readable by the group": (lambda path: path.chmod(0o640), "can be read by others.*chmod 600 "),
    "a folder": (a_folder, "no regular file"),
}


def edited(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        data = json.loads(path.read_text())
        change(data)
        put(path, json.dumps(data).encode())

    return act


def key(data: dict[str, object]) -> dict[str, object]:
    keys = data["keys"]
    assert isinstance(keys, list)
    found: dict[str, object] = keys[0]
    return found


RING_DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: put(path, b""),
    "cut short": lambda path: put(path, path.read_bytes()[:-40]),
    "a list": lambda path: put(path, b"[]"),
    "deep": lambda path: put(path, b"[" * 200_000),
    "noise": lambda path: put(path, os.urandom(500)),
    "another format": edited(lambda data: data.update(format=2)),
    "no keys": edited(lambda data: data.pop("keys")),
    "a key twice": edited(lambda data: data.update(keys=[key(data), key(data)])),
    "another kid": edited(lambda data: key(data).update(kid="x" * 43)),
    "unknown algorithm": edited(lambda data: key(data).update(alg="HS256")),
    "a private member": edited(lambda data: key(data).update(jwk={**key(data)["jwk"], "d": "AQAB"})),  # type: ignore[dict-item]
    "a public member less": edited(lambda data: key(data).update(jwk={"kty": "RSA", "e": "AQAB"})),
    "members of no type": edited(lambda data: key(data).update(jwk={"kty": "RSA", "e": 1, "n": None})),
    "no time": edited(lambda data: key(data).update(created_at="yesterday")),
    "not a number": edited(lambda data: key(data).update(active_from=float("nan"))),
    "no flag": edited(lambda data: key(data).update(emergency=0)),
    "an unknown member": edited(lambda data: key(data).update(note="x")),
    "two that sign": edited(lambda data: [each.update(active_from=1.0) for each in data["keys"]]),  # type: ignore[attr-defined]
    "rotations": edited(lambda data: data.update(rotations={"planned": {"count": "1"}})),
}
