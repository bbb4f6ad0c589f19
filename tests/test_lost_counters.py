"""Redis forgets everything, as after a fail-over: limits begin anew, and what was spent stays spent."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from tests import flows
from tests.clients.asking import ask, assert_unknown, asserted, assertion, make
from tests.expectations import expect_revoked, expect_token_error
from tests.flows import Browser, Clock

from .test_rate_windows import REDIS

pytestmark = pytest.mark.row("FT-13")

Forget = Callable[[], None]


@pytest.fixture
def shared_store(tmp_path: Path) -> Iterator[redis.Redis]:
    """A real Redis that keeps nothing on disk."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    store = redis.Redis(port=port)
    deadline = time.monotonic() + 10
    while True:
        try:
            store.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    yield store
    store.close()
    process.kill()
    process.wait()


@pytest.fixture
def limited(make_app: Callable[..., Flask], shared_store: redis.Redis) -> Flask:
    port = shared_store.connection_pool.connection_kwargs["port"]
    return make_app(
        redis_url=f"redis://127.0.0.1:{port}/0",
        ratelimit_enabled=True,
        ratelimit_token="8/minute",
        ratelimit_default="",
    )


def forget(store: redis.Redis) -> None:
    """Lose every write, which is more than a fail-over loses."""
    assert store.dbsize() > 0, "the limits were counted here"
    store.flushall()


def statuses(app: Flask, times: int) -> list[int]:
    return [flows.redeem(app, "invented").status_code for _ in range(times)]


def test_limits_begin_anew_and_still_hold(limited: Flask, shared_store: redis.Redis) -> None:
    assert statuses(limited, 10) == [400] * 8 + [429] * 2
    forget(shared_store)
    assert statuses(limited, 10) == [400] * 8 + [429] * 2, "as many again, and no more"


def test_a_spent_code_stays_spent(limited: Flask, shared_store: redis.Redis) -> None:
    alice = Browser(limited)
    code = alice.obtain_code()
    tokens = flows.redeem(limited, code).json
    forget(shared_store)
    expect_token_error(flows.redeem(limited, code))
    expect_revoked(limited, tokens)


def test_a_spent_refresh_token_stays_spent(limited: Flask, shared_store: redis.Redis, clock: Clock) -> None:
    tokens = Browser(limited).obtain_tokens(scope="openid offline_access")
    successor = flows.refresh(limited, tokens["refresh_token"]).json
    clock.advance(11)
    forget(shared_store)
    expect_token_error(flows.refresh(limited, tokens["refresh_token"]))
    expect_revoked(limited, successor)


def test_a_revoked_token_stays_revoked(limited: Flask, shared_store: redis.Redis) -> None:
    tokens = Browser(limited).obtain_tokens(scope="openid offline_access")
    flows.post_as(limited, "/revoke", token=tokens["refresh_token"])
    forget(shared_store)
    expect_revoked(limited, tokens)


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_the_jti_of_an_assertion_stays_spent(limited: Flask, shared_store: redis.Redis, method: str) -> None:
    made = make(limited, method)
    token = assertion(made)
    assert ask(limited, "/token", asserted(token)).status_code == 200
    forget(shared_store)
    assert_unknown(ask(limited, "/token", asserted(token)))


def test_failed_sign_ins_are_counted_in_the_database_as_well(
    make_app: Callable[..., Flask], shared_store: redis.Redis
) -> None:
    port = shared_store.connection_pool.connection_kwargs["port"]
    app = make_app(redis_url=f"redis://127.0.0.1:{port}/0", ratelimit_enabled=True)

    def guess(times: int) -> list[int]:
        stranger = Browser(app)
        page: Any = stranger.get("/login")
        return [stranger.submit(page, username="alice", password="wrong").status_code for _ in range(times)]

    first = guess(8)
    assert first[-1] == 429
    forget(shared_store)
    assert first.count(401) + guess(30).count(401) < 15, "a store that forgets gives no second set of guesses"
