"""Keys that cannot be trusted stop the start with a sentence that names the file (KY-03, KY-04, KY-05)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from oidc_server.signing import Keyring, KeysUnusable

from .damage import DAMAGES, RING_DAMAGES, active_pem, waiting_pem

Make = Callable[..., Keyring]


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


@pytest.mark.row("KY-03")
def test_private_keys_without_their_ring_are_refused_in_every_environment(
    keyring: Keyring, make_keyring: Make, keys_folder: Path
) -> None:
    (keys_folder / "keyring.json").unlink()
    for environment in ("development", "testing", "production"):
        with pytest.raises(KeysUnusable, match=r"holds private keys .* but no keyring\.json"):
            make_keyring(environment=environment, issuer="https://id.example")
