"""What arrives at the socket of the deployed server, below everything that a test client would put right (RFC 9112)."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress

import psutil
import pytest

from .site import Site

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
#: A second request that hides behind the first; it must never be answered.
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HIDDEN_ANSWER = b'{"status":"ok"}'
MEGABYTE = 1024 * 1024


def exchange(site: Site, data: bytes, *, seconds: float = 3, half_close: bool = False) -> tuple[bytes, bool]:
    """Everything that comes back for these bytes, and whether the server closed the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.settimeout(seconds)
        try:
            with suppress(BrokenPipeError):
                connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            return received, False
        except ConnectionResetError:
            pass
        return received, True


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def post(site: Site, headers: bytes, body: bytes, path: str = "/token", version: str = "1.1") -> bytes:
    return f"POST {path} HTTP/{version}\r\nHost: localhost:{site.port}\r\n".encode() + FORM + headers + b"\r\n" + body


@pytest.mark.row("HT-06")
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param(b"Content-Length: 47\r\n" + CHUNKED, b"0\r\n\r\n", id="CL.TE"),
        pytest.param(CHUNKED + b"Content-Length: 4\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), id="TE.CL"),
        pytest.param(b"Transfer-Encoding: xchunked\r\n", b"3\r\na=b\r\n0\r\n\r\n", id="xchunked"),
        pytest.param(b"Content-Length: 3\r\nTransfer-Encoding: xchunked\r\n", b"a=b", id="xchunked with length"),
        pytest.param(b"Transfer-Encoding: chunked, identity\r\n", b"3\r\na=b\r\n0\r\n\r\n", id="chunked, identity"),
        pytest.param(b"Transfer-Encoding : chunked\r\nContent-Length: 3\r\n", b"a=b", id="space before the colon"),
        pytest.param(b"Content-Length: 3\r\nContent-Length: 5\r\n", b"a=b", id="two lengths"),
        pytest.param(b"Content-Length: 3, 3\r\n", b"a=b", id="a list of lengths"),
        pytest.param(b"Content-Length: +3\r\n", b"a=b", id="length with a sign"),
        pytest.param(b"Content-Length: -1\r\n", b"a=b", id="negative length"),
        pytest.param(b"Content-Length: 0x3\r\n", b"a=b", id="hexadecimal length"),
        pytest.param(b"Content-Length: 99999999999999999999999\r\n", b"a=b", id="length beyond 64 bits"),
        pytest.param(CHUNKED, b"zz\r\na=b\r\n0\r\n\r\n", id="chunk size of letters"),
        pytest.param(CHUNKED, b"0x3\r\na=b\r\n0\r\n\r\n", id="chunk size with 0x"),
        pytest.param(CHUNKED, b"1ffffffffffffffff\r\na=b\r\n0\r\n\r\n", id="chunk size beyond 64 bits"),
        pytest.param(CHUNKED, b"3\na=b\n0\n\n", id="chunks ended by LF"),
        pytest.param(b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"a=b", id="obs-fold"),
        pytest.param(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n", b"a=b", id="obs-fold in a value"),
        pytest.param(b"X-A: a\rTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"a=b", id="bare CR"),
        pytest.param(b"X-A: a\0b\r\nContent-Length: 3\r\n", b"a=b", id="NUL in a header"),
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused_and_nothing_behind_it_is_read(
    sqlite_site: Site, headers: bytes, body: bytes
) -> None:
    received, closed = exchange(sqlite_site, post(sqlite_site, headers, body + HIDDEN))
    assert statuses(received) == [400]
    assert closed, "a connection whose framing was wrong must not be used again"
    assert HIDDEN_ANSWER not in received


@pytest.mark.row("HT-06")
def test_chunks_in_the_old_version_of_http_are_refused(sqlite_site: Site) -> None:
    received, closed = exchange(
        sqlite_site, post(sqlite_site, CHUNKED, b"3\r\na=b\r\n0\r\n\r\n" + HIDDEN, version="1.0")
    )
    assert statuses(received) == [400]
    assert closed
    assert HIDDEN_ANSWER not in received


@pytest.mark.row("HT-06")
def test_a_good_form_with_both_framings_is_the_last_request_of_its_connection(sqlite_site: Site) -> None:
    """RFC 9112 §6.1: chunked wins, and the connection ends, so that nobody's length decides where the next request begins."""
    body = b"12\r\ntoken=not-a-token1\r\n0\r\n\r\n"
    received, closed = exchange(
        sqlite_site, post(sqlite_site, b"Content-Length: 5\r\n" + CHUNKED, body + HIDDEN, "/revoke")
    )
    assert len(statuses(received)) == 1
    assert closed
    assert HIDDEN_ANSWER not in received


@pytest.mark.row("HT-03")
def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(sqlite_site: Site) -> None:
    site = sqlite_site
    before = [psutil.Process(worker).memory_info().rss for worker in site.worker_pids()]
    for _ in range(8):
        head = post(site, b"Content-Length: %d\r\n" % (10 * MEGABYTE), b"")
        received, closed = exchange(site, head + b"a" * 10 * MEGABYTE)
        assert statuses(received) == [413]
        assert b'"error":"invalid_request"' in received
        assert closed
        started = time.monotonic()
        received, closed = exchange(site, head + b"grant_type=")  # announced only
        assert statuses(received) == [413]
        assert time.monotonic() - started < 1
    after = [psutil.Process(worker).memory_info().rss for worker in site.worker_pids()]
    assert max(now - then for now, then in zip(after, before, strict=True)) < 10 * MEGABYTE


@pytest.mark.row("HT-03")
def test_chunks_without_end_are_refused_and_the_connection_closed(sqlite_site: Site) -> None:
    site = sqlite_site
    sent = 0
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.settimeout(3)
        connection.sendall(post(site, CHUNKED, b""))
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 64 * MEGABYTE:
                connection.sendall(chunk)
                sent += len(chunk)
    assert sent < 64 * MEGABYTE, "the server read on and on"
    received, _ = exchange(site, post(site, CHUNKED, chunk * 2 + b"0\r\n\r\n"))
    assert statuses(received) == [413]


@pytest.mark.row("HT-03")
def test_a_body_that_ends_early_has_no_effect(sqlite_site: Site) -> None:
    site = sqlite_site
    (tokens,) = site.obtain_tokens(1)
    whole = site.post("/revoke", "web", token=tokens["refresh_token"]).encode()
    received, _ = exchange(site, whole.replace(b"Content-Length: ", b"Content-Length: 1"), half_close=True)
    assert statuses(received) in ([], [400])
    assert site.ask(site.introspection(tokens["access_token"])).json["active"] is True


@pytest.mark.row("HT-15")
@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /authorize?state=" + b"a" * 66000 + b" HTTP/1.1\r\nHost: localhost\r\n", id="address"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 66000 + b"\r\n", id="header"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 10**6 + b"\r\n", id="megabyte"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: a\r\n" * 200, id="headers"),
    ],
)
def test_a_head_without_measure_is_refused(sqlite_site: Site, head: bytes) -> None:
    received, closed = exchange(sqlite_site, head + b"\r\n" + HIDDEN)
    assert statuses(received)[:1] in ([414], [431])
    assert closed
    assert HIDDEN_ANSWER not in received


@pytest.mark.row("HT-05")
def test_two_hundred_clients_that_dribble_their_headers_hold_nobody_up(sqlite_site: Site) -> None:
    site = sqlite_site
    normal = seconds_of_healthy(site)
    with ExitStack() as open_sockets:
        slow = [open_sockets.enter_context(socket.create_connection(("127.0.0.1", site.port))) for _ in range(200)]
        for one in slow:
            one.sendall(b"POST /token HTTP/1.1\r\nHost: localhost\r\nX-")
        for _ in range(5):
            for one in slow:
                one.sendall(b"a")
            slowed = seconds_of_healthy(site)
    print(f"HT-05: healthy requests take {normal * 1000:.1f} ms, beside 200 slow clients {slowed * 1000:.1f} ms")
    assert slowed < 2 * normal + 0.05


@pytest.mark.row("HT-05")
def test_clients_that_dribble_their_bodies_hold_a_thread_each_and_nobody_up_while_there_are_others(
    sqlite_site: Site,
) -> None:
    """A body is read by the thread that needs it; where strangers connect, a proxy that buffers requests stands in front."""
    site = sqlite_site
    normal = seconds_of_healthy(site)
    with ExitStack() as open_sockets:
        for _ in range(6):  # of 7 threads in each worker, wherever the connections go
            one = open_sockets.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            one.sendall(post(site, b"Content-Length: 100\r\n", b"grant_type="))
        slowed = seconds_of_healthy(site)
    assert slowed < 2 * normal + 0.05
    assert seconds_of_healthy(site) < 2 * normal + 0.05


def seconds_of_healthy(site: Site) -> float:
    """The median time of requests by clients who do as they should, at every worker."""
    waves = site.spread(*([site.get("/jwks.json")] * site.workers for _ in range(20)))
    answers = [answer for wave in waves for answer in wave]
    assert {answer.status for answer in answers} == {200}
    return sorted(answer.ended - answer.started for answer in answers)[len(answers) // 2]
