"""Whether a password is among those stolen elsewhere: the one HTTP client of this server. ASVS 6.2.12.

The range API of Have I Been Pwned: 5 of the 40 digits of the SHA-1 are sent, the rest is compared here, and the answer is padded so that
its length says nothing. The request is bounded in time and size, follows no redirect, and when there is no answer the password passes.
"""

from __future__ import annotations

import hashlib
import http.client
import queue
import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from .. import audit

# Seconds for everything, from the name of the host to the last byte.
TIMEOUT = 1.0
_PREFIX = 5
# A padded answer has about a thousand lines of 40 characters.
_LARGEST = 256 * 1024
_LARGEST_COUNT = 12  # digits
# A name server that does not answer cannot be interrupted: more than this many questions at once are not asked.
_MOST_AT_ONCE = 8
_TOO_LATE = "no answer in time"

_asking = threading.BoundedSemaphore(_MOST_AT_ONCE)


class _Unanswered(Exception):
    """There was no answer to go by; the message is for the audit log and holds nothing of the password."""


def is_known(password: str, url: str) -> bool:
    """Whether the password is known to be stolen. False when nobody says so, with a line in the audit log."""
    digest = hashlib.sha1(password.encode("utf-8"), usedforsecurity=False).hexdigest().upper()
    prefix, rest = digest[:_PREFIX], digest[_PREFIX:]
    try:
        return rest in _suffixes(_answer_in_time(url, prefix))
    except _Unanswered as unanswered:
        audit.record(audit.BREACHED_PASSWORDS_UNANSWERED, reason=str(unanswered))
        return False


def _suffixes(answer: bytes) -> set[str]:
    """Those that were seen at least once; lines of padding say 0."""
    found = set()
    for line in answer.decode("ascii", "replace").splitlines():
        suffix, _, count = line.partition(":")
        if len(count) <= _LARGEST_COUNT and count.strip().isdecimal() and int(count):
            found.add(suffix.strip().upper())
    return found


def _answer_in_time(url: str, prefix: str) -> bytes:
    """The answer, if it comes within TIMEOUT. Raises _Unanswered."""
    if not _asking.acquire(blocking=False):
        raise _Unanswered("too many questions at once")
    answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    opened: list[socket.socket] = []

    def run() -> None:
        try:
            answers.put(_asked(url, prefix, opened))
        except Exception as error:
            answers.put(error)
        finally:
            _asking.release()

    threading.Thread(target=run, name="breached-passwords", daemon=True).start()
    try:
        answer = answers.get(timeout=TIMEOUT)
    except queue.Empty:
        # Else a server that sends a byte now and then would hold the thread for ever.
        for sock in opened:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        raise _Unanswered(_TOO_LATE) from None
    if isinstance(answer, TimeoutError):  # the socket's own patience ends at the same moment
        raise _Unanswered(_TOO_LATE) from answer
    if isinstance(answer, _Unanswered):
        raise answer
    if isinstance(answer, Exception):
        raise _Unanswered(type(answer).__name__) from answer
    return answer


def _asked(url: str, prefix: str, opened: list[socket.socket]) -> bytes:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    else:  # settings_checks lets only tests on this machine come here
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.connect()
        opened.append(connection.sock)
        headers = {"Add-Padding": "true", "User-Agent": "oidc-server", "Accept": "text/plain", "Connection": "close"}
        connection.request("GET", f"{parts.path.rstrip('/')}/{prefix}", headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _Unanswered(f"status {response.status}")
        answer = response.read(_LARGEST + 1)
        if len(answer) > _LARGEST:
            raise _Unanswered("answer too large")
        return answer
    finally:
        connection.close()
