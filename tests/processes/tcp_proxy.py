"""A small TCP proxy between a server and its PostgreSQL that can stand still, refuse, and cut a connection in the middle of a COMMIT."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

COMMIT = b"COMMIT\0"


class Proxy:
    """Listens on 127.0.0.1:`port` and passes everything on to a Unix socket until told otherwise."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.held = threading.Event()
        self._moving = threading.Event()
        self._moving.set()
        self._statement: bytes | None = None
        self._cuts = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stand_still(self) -> None:
        """Take bytes and connections, and pass nothing on: what a stopped database looks like."""
        self._moving.clear()

    def go_on(self) -> None:
        self._moving.set()

    def cut_all(self) -> None:
        """Reset every connection: what a restarted database looks like."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut_at_commit_of(self, statement: bytes) -> None:
        """Let the COMMIT that follows this statement through to the database, and cut the connection before its answer."""
        self._statement, self._cuts = statement, True

    def hold_at_commit_of(self, statement: bytes) -> None:
        """Let that COMMIT through and keep its answer back until go_on(); `held` tells when."""
        self.held.clear()
        self._statement, self._cuts = statement, False

    def close(self) -> None:
        self._listener.close()
        self.go_on()
        self.cut_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        self._moving.wait()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.target)
        self._open |= {near, far}
        cut = threading.Event()
        back = threading.Thread(target=self._pump, args=(far, near, cut), daemon=True)
        back.start()
        self._pump(near, far, cut, outward=True)
        back.join()
        self._open -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket, cut: threading.Event, outward: bool = False) -> None:
        seen = False
        with suppress(OSError):
            while (data := source.recv(65536)) and not cut.is_set():
                self._moving.wait()
                if outward and self._statement is not None:
                    seen = seen or self._statement in data
                    if seen and COMMIT in data:
                        self._statement = None
                        self._stop_answers(source, cut)
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _stop_answers(self, near: socket.socket, cut: threading.Event) -> None:
        if self._cuts:
            cut.set()
            self.held.set()  # before: the server answers as soon as it sees the cut
            near.shutdown(socket.SHUT_RDWR)
        else:
            self._moving.clear()
            self.held.set()
