"""One folder of keys per test, and a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oidc_server import database
from oidc_server.settings import Settings
from oidc_server.signing.keyring import Keyring
from oidc_server.signing.stores.files import FileStore

MakeSettings = Callable[..., Settings]
MakeKeyring = Callable[..., Keyring]


class Clock:
    """The clock of tokens and keys (seconds since the epoch) and the one that says when to look at the store again."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(database, "clock", lambda: clock.now)
    monkeypatch.setattr("oidc_server.signing.keyring.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def make_settings(keys_folder: Path) -> MakeSettings:
    def make(**overrides: object) -> Settings:
        values = {
            "environment": "testing",
            "secret_key": "0123456789abcdef" * 4,
            "keys_dir": str(keys_folder),
        } | overrides
        return Settings(**values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_keyring(make_settings: MakeSettings, keys_folder: Path) -> MakeKeyring:
    """A keyring on the test's folder, started: another call is another worker."""

    def make(**overrides: object) -> Keyring:
        keyring = Keyring(make_settings(**overrides), FileStore(keys_folder))
        keyring.start()
        return keyring

    return make


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first keys, made once: RSA keys take their time."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "clock", lambda: Clock().now)
        settings = Settings(environment="testing", secret_key="0123456789abcdef" * 4, keys_dir=str(folder))
        Keyring(settings, FileStore(folder)).start()
    return folder


@pytest.fixture
def keyring(clock: Clock, made_folder: Path, keys_folder: Path, make_keyring: MakeKeyring) -> Keyring:
    """A keyring of RS256 with its first keys, made at this moment of the clock."""
    shutil.copytree(made_folder, keys_folder)
    return make_keyring()
