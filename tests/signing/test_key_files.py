"""Keys that cannot be trusted stop the start with a sentence; a worker that runs keeps the good ones (KY-03, KY-04, KY-05)."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from oidc_server.signing import Keyring, KeysUnusable

from .conftest import Clock

Make = Callable[..., Keyring]


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


@pytest.mark.row("KY-03", "KY-04", "KY-05")
@pytest.mark.parametrize("which", [active_pem, waiting_pem])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_private_key_that_is_not_whole_and_private_stops_the_start_and_is_named(
    keyring: Keyring, make_keyring: Make, keys_folder: Path, which: Callable[[Path], Path], damage: str
) -> None:
    path = which(keys_folder)
    act, reason = DAMAGES[damage]
    act(path)
    before = {name: (keys_folder / name).lstat().st_mtime_ns for name in os.listdir(keys_folder)}
    with pytest.raises(KeysUnusable, match=reason) as caught:
        make_keyring()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {name: (keys_folder / name).lstat().st_mtime_ns for name in os.listdir(keys_folder)} == before


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


RING_def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
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


@pytest.mark.row("KY-04")
@pytest.mark.parametrize("damage", RING_DAMAGES)
def test_a_damaged_key_ring_stops_the_start_and_is_named(
    keyring: Keyring, make_keyring: Make, keys_folder: Path, damage: str
) -> None:
    RING_DAMAGES[damage](keys_folder / "keyring.json")
    with pytest.raises(KeysUnusable, match=r"corrupt .*Restore the folder from a backup") as caught:
        make_keyring()
    assert str(keys_folder / "keyring.json") in str(caught.value)


@pytest.mark.row("KY-05")
def test_a_readable_key_ring_stops_the_start(keyring: Keyring, make_keyring: Make, keys_folder: Path) -> None:
    (keys_folder / "keyring.json").chmod(0o604)
    with pytest.raises(KeysUnusable, match=r"mode 0604.*chmod 600 .*keyring\.json"):
        make_keyring()


@pytest.mark.row("KY-05")
def test_a_folder_that_everybody_can_write_in_stops_the_start(
    keyring: Keyring, make_keyring: Make, keys_folder: Path
) -> None:
    keys_folder.chmod(0o777)
    with pytest.raises(KeysUnusable, match="chmod 700"):
        make_keyring()


@pytest.mark.row("KY-05")
def test_what_we_write_is_ours_alone_whatever_the_umask(make_keyring: Make, keys_folder: Path) -> None:
    before = os.umask(0)
    try:
        make_keyring().rotate()
    finally:
        os.umask(before)
    assert stat.S_IMODE(keys_folder.stat().st_mode) == 0o700
    modes = {name: stat.S_IMODE((keys_folder / name).stat().st_mode) for name in os.listdir(keys_folder)}
    assert set(modes.values()) == {0o600}
    assert "keyring.json" in modes


@pytest.mark.row("KY-03")
def test_private_keys_without_their_ring_are_refused_in_every_environment(
    keyring: Keyring, make_keyring: Make, keys_folder: Path
) -> None:
    (keys_folder / "keyring.json").unlink()
    for environment in ("development", "testing", "production"):
        with pytest.raises(KeysUnusable, match=r"holds private keys .* but no keyring\.json"):
            make_keyring(environment=environment, issuer="https://id.example")


@pytest.mark.row("KY-03")
def test_a_folder_with_only_the_readme_gets_its_first_keys(make_keyring: Make, keys_folder: Path) -> None:
    keys_folder.mkdir()
    (keys_folder / "README.md").write_text("# Signing keys")
    keyring = make_keyring(environment="production", issuer="https://id.example")
    assert len(keyring.public()["keys"]) == 2
    assert make_keyring().public() == keyring.public()


def test_a_first_start_that_was_cut_off_is_finished_by_the_next(
    make_keyring: Make, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, left = os.rename, [2]  # the power fails before the third file

    def fail(*arguments: Path) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        rename(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(KeysUnusable, match="No space left on device"):
            make_keyring()
    assert [name for name in os.listdir(keys_folder) if name.endswith(".pem")]
    assert len(make_keyring().public()["keys"]) == 2


def test_a_rotation_that_fails_half_way_changes_nothing(
    clock: Clock, keyring: Keyring, make_keyring: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keyring.public()
    clock.advance(1000)

    def fail(_from: Path, to: Path) -> None:
        if to.name == "keyring.json":
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(KeysUnusable, match="No space left on device"):
            keyring.rotate()
    assert keyring.public() == before
    assert make_keyring().public() == before


@pytest.mark.row("KY-04")
@pytest.mark.parametrize("damage", ["missing", "cut short", "readable"])
def test_a_running_worker_keeps_the_good_keys_says_so_once_and_recovers(
    clock: Clock,
    keyring: Keyring,
    make_keyring: Make,
    keys_folder: Path,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(1000)
    worker, before = make_keyring(), keyring.public()
    keyring.rotate()
    waiting = waiting_pem(keys_folder)
    content = waiting.read_bytes()
    DAMAGES[damage][0](waiting)
    caplog.clear()
    caplog.set_level("INFO", logger="oidc_server.audit")
    for _ in range(5):
        clock.advance(2)
        assert worker.sign({}, typ="JWT")
        assert worker.public() == before
        worker.upkeep()
    complaints = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(complaints) == 1
    assert str(waiting) in complaints[0]
    assert [record for record in caplog.records if '"key.unusable"' in record.getMessage()]
    put(waiting, content)
    clock.advance(1)
    assert worker.public() == keyring.public() != before


@pytest.mark.row("KY-03", "KY-04")
def test_a_running_worker_makes_no_keys_when_its_folder_is_emptied(
    clock: Clock, keyring: Keyring, keys_folder: Path
) -> None:
    before = keyring.public()
    for path in keys_folder.iterdir():
        path.unlink()
    clock.advance(40 * 86400)
    keyring.upkeep()
    assert keyring.public() == before
    assert not list(keys_folder.glob("*.pem"))
    with pytest.raises(KeysUnusable, match="disappeared"):
        keyring.rotate()


@pytest.mark.row("KY-04", "JW-24")
def test_openssl_reads_the_private_keys_and_no_file_but_them_holds_one(keyring: Keyring, keys_folder: Path) -> None:
    checked = subprocess.run(
        ["openssl", "pkey", "-in", str(active_pem(keys_folder)), "-check", "-noout"], capture_output=True, check=False
    )
    assert re.search(rb"valid", checked.stdout + checked.stderr)
    assert "PRIVATE" not in (keys_folder / "keyring.json").read_text()
    assert not re.search(r'"(d|p|q|dp|dq|qi|k)"', (keys_folder / "keyring.json").read_text())


def test_private_parts_go_when_they_cannot_sign_any_more(clock: Clock, keyring: Keyring, keys_folder: Path) -> None:
    old = active_pem(keys_folder)
    clock.advance(1000)
    keyring.rotate()
    clock.advance(59)
    keyring.upkeep()
    assert old.exists()
    clock.advance(1)
    keyring.upkeep()
    assert not old.exists()
    assert old.stem in {key["kid"] for key in keyring.public()["keys"]}
    assert keyring.sign({}, typ="JWT")


def test_each_private_key_is_parsed_once(
    clock: Clock, keyring: Keyring, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(1000)
    signers = dict(keyring._signers)
    keyring.rotate()
    assert len(signers) == 2
    assert len(set(keyring._signers.values()) & set(signers.values())) == 1
