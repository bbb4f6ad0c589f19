"""Where the ring of signing keys is kept: the contract, and STORES.

A store knows nothing of rotation. It hands out the ring and private keys, and runs a change so that of all processes on
all nodes one at a time reads, decides and writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ...settings import Settings
from ..keys import Ring
from .files import FileStore


class KeyStore(Protocol):
    """The contract. Every method raises KeysUnusable, a sentence that names what is wrong and what to do."""

    def version(self) -> object:
        """Something cheap that differs whenever the ring has changed; None when there is no ring."""

    def load(self) -> Ring | None:
        """The ring, or None when no key was ever made here; what is half there is refused, never taken for nothing."""

    def private_key(self, kid: str) -> bytes:
        """The private key as PKCS #8 PEM."""

    def where(self, kid: str) -> str:
        """Where that private key lies, for people."""

    def change(self, work: Callable[[Ring], Ring]) -> Ring:
        """Replace the ring by `work(ring)`, alone: no other process changes it in between. Returns the ring after.

        Stores the private parts of new keys before the ring that names them, deletes those the ring no longer keeps
        (`has_private`) after it. An unchanged ring writes nothing.
        """


STORES: dict[str, Callable[[Settings], KeyStore]] = {"files": lambda settings: FileStore(settings.keys_path)}
