"""What is written into the folder of keys and when it goes; what a running worker does when it is damaged (KY-03 to KY-05)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from oidc_server.settings import Settings
from oidc_server.signing import Keyring, KeysUnusable
from oidc_server.signing.keys import Ring
from oidc_server.signing.stores.files import FileStore

from .conftest import Clock
from .damage import DAMAGES, active_pem, put, waiting_pem

Make = Callable[..., Keyring]


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


@pytest.mark.row("KY-05")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(make_keyring: Make, keys_folder: Path) -> None:
    keys_folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(keys_folder, 12345, 12346)
    make_keyring().rotate()
    owner = keys_folder.stat()
    for path in keys_folder.iterdir():
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.st_uid, owner.st_gid)


@pytest.mark.row("KY-05")
def test_a_lock_that_points_elsewhere_is_not_followed(keyring: Keyring, keys_folder: Path, tmp_path: Path) -> None:
    (keys_folder / ".lock").unlink()
    (keys_folder / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysUnusable, match=r"\.lock cannot be opened"):
        keyring.rotate()
    assert not (tmp_path / "elsewhere").exists()


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


@pytest.mark.row("KY-07")
def test_a_start_in_the_middle_of_an_emergency_takes_the_ring_after_it(
    keyring: Keyring, make_settings: Callable[..., Settings], keys_folder: Path
) -> None:
    class ReadJustBefore(FileStore):
        done = False

        def load(self) -> Ring | None:
            ring = super().load()
            if not self.done:
                self.done = True
                keyring.rotate("emergency")
            return ring

    starting = Keyring(make_settings(), ReadJustBefore(keys_folder))
    starting.start()
    assert starting.public() == keyring.public()


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


@pytest.mark.row("JW-24")
def test_only_pem_files_hold_anything_private(keyring: Keyring, keys_folder: Path) -> None:
    for path in keys_folder.iterdir():
        text = path.read_text()
        assert ("PRIVATE KEY" in text) is (path.suffix == ".pem")
        assert not re.search(r'"(d|p|q|dp|dq|qi|k|private_pem)"', text)


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
