"""The ring of keys in a folder: `keyring.json`, one `<kid>.pem` per private key, `.lock`.

Files are mode 0600 and appear whole or not at all (temporary file, fsync, rename). `keyring.json` is the truth: it is
written after the private keys it names and before those it dropped are deleted.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..keys import KeysUnusable, Ring, ring_from_json

RING = "keyring.json"
LOCK = ".lock"

#: Seconds to wait for the processes before us; making one RSA key of 4096 bits takes about one.
PATIENCE = 60.0
_LARGEST = 1_000_000


class FileStore:
    """A KeyStore in one folder, for all processes that share its file system."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def where(self, kid: str) -> str:
        return str(self._pem(kid))

    def version(self) -> object:
        try:
            found = os.stat(self.directory / RING)
        except OSError:
            return None
        # Each write is a new file, so the inode alone would do; the rest notices chmod and editing in place.
        return found.st_ino, found.st_ctime_ns, found.st_size

    def load(self) -> Ring | None:
        pems = self._checked_pems()
        ring = self.directory / RING
        try:
            text = _read_private(ring)
        except FileNotFoundError:
            if not pems:
                return None
            raise KeysUnusable(
                f"{self.directory} holds private keys ({pems[0]}) but no {RING}. Restore {RING} from a backup, or move "
                f"the *.pem files away: then new keys are made, and every token signed so far becomes invalid."
            ) from None
        try:
            return ring_from_json(json.loads(text, parse_constant=_refuse_constant))
        except (ValueError, RecursionError) as error:
            raise KeysUnusable(f"{ring} is corrupt ({error}). {_CURE.format(self.directory)}") from error

    def private_key(self, kid: str) -> bytes:
        try:
            return _read_private(self._pem(kid))
        except FileNotFoundError:
            raise KeysUnusable(
                f"{self._pem(kid)} is missing, though {RING} says that this key signs. {_CURE.format(self.directory)}"
            ) from None

    def change(self, work: Callable[[Ring], Ring]) -> Ring:
        with self._alone():
            before = self.load()
            after = work(before or Ring())
            if after == before:
                return after
            if before is None:
                # An empty ring first: private keys without one are refused, and a crash between two writes must not be.
                self._write(RING, _encoded(Ring()))
            for key in after.keys:
                if key.private_pem is not None:
                    self._write(f"{key.kid}.pem", key.private_pem)
            self._write(RING, _encoded(after))
            for kid in {key.kid for key in (before or Ring()).keys} - {
                key.kid for key in after.keys if key.has_private
            }:
                self._pem(kid).unlink(missing_ok=True)
            return replace(after, keys=tuple(replace(key, private_pem=None) for key in after.keys))

    def _pem(self, kid: str) -> Path:
        return self.directory / f"{kid}.pem"

    def _checked_pems(self) -> list[str]:
        """The names of the private key files, none of which anybody else can read."""
        try:
            mode = self.directory.stat().st_mode
            names = sorted(name for name in os.listdir(self.directory) if name.endswith(".pem"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise KeysUnusable(
                f"The folder of the keys, {self.directory}, cannot be read: {error.strerror}."
            ) from error
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise KeysUnusable(f"Everybody can write in {self.directory}; run: chmod 700 {self.directory}")
        for name in names:
            try:
                _require_private(self.directory / name, os.stat(self.directory / name).st_mode)
            except FileNotFoundError:
                continue  # deleted by another process since: its key has served
        return names

    def _write(self, name: str, content: bytes) -> None:
        temporary = self.directory / f".{name}.new"
        try:
            temporary.unlink(missing_ok=True)
            with os.fdopen(_create(temporary), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, self.directory / name)
            _sync_folder(self.directory)
        except OSError as error:
            raise KeysUnusable(f"{self.directory / name} cannot be written: {error.strerror}.") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock; the system frees it when the process dies, however it dies."""
        lock = self.directory / LOCK
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = _open_lock(lock)
        except OSError as error:
            raise KeysUnusable(
                f"{lock} cannot be opened: {error.strerror}. The folder must belong to the user that runs the server."
            ) from error
        try:
            deadline = time.monotonic() + PATIENCE
            while not _locked(handle):
                if time.monotonic() > deadline:
                    raise KeysUnusable(f"Another process has held {lock} for {PATIENCE:.0f} s; end it and try again.")
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)


_CURE = (
    "Restore the folder from a backup, or move everything but README.md out of {}: then new keys are made, and every "
    "token signed so far becomes invalid."
)


def _create(path: Path) -> int:
    """A new file of the folder's owner, mode 0600, opened for writing. Raises FileExistsError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        # Root rotates by hand, in a container perhaps, and the server's user must read the result.
        owner = path.parent.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
    return handle


def _open_lock(path: Path) -> int:
    try:
        return _create(path)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)


def _read_private(path: Path) -> bytes:
    """The content of a file that nobody else can read. Raises FileNotFoundError when it is not there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            _require_private(path, os.fstat(file.fileno()).st_mode)
            return file.read(_LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeysUnusable(
            f"{path} cannot be read: {error.strerror}. It must belong to the user that runs the server."
        ) from error


def _require_private(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise KeysUnusable(f"{path} is no regular file; move it away.")
    if mode & 0o077:
        raise KeysUnusable(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}); run: chmod 600 {path} "
            f"- and if it may have been read, `flask keys rotate --all` after that."
        )


def _encoded(ring: Ring) -> bytes:
    return json.dumps(ring.to_json(), indent=1).encode() + b"\n"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no time")


def _sync_folder(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
