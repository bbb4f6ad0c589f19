"""PyJWT's PyJWKClient, which keeps the key set for 300 seconds, while the keys change under it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from oidc_server import database
from tests import flows

from .site import API, Site


class CountingClient(jwt.PyJWKClient):
    """Counts how often it fetches."""

    fetches = 0

    def fetch_data(self) -> Any:
        self.fetches += 1
        return super().fetch_data()


@pytest.fixture
def long_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server whose keys were made an hour ago, so that its next key has long been published."""
    with monkeypatch.context() as hour_ago:
        hour_ago.setattr(database, "clock", lambda: time.time() - 3600)
        site = Site(tmp_path / "server")
    with site:
        yield site


@pytest.fixture
def obtain(long_running: Site) -> Callable[[], str]:
    """An access token that the running server has just signed."""
    secret = long_running.register_machine("machine", scope="photos:read")

    def obtain() -> str:
        answer = requests.post(
            f"{long_running.url}/token",
            data={"grant_type": "client_credentials", "resource": API},
            auth=("machine", secret),
            timeout=5,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    return obtain


def kid_of(token: str) -> str:
    return str(flows.header_of(token)["kid"])


def wait_for_another_key(obtain: Callable[[], str], old: str) -> str:
    """The first token of a key that is not the old token's; the workers look for new keys every second."""
    deadline = time.monotonic() + 5
    while kid_of(token := obtain()) == kid_of(old):
        assert time.monotonic() < deadline, "the server goes on with its old key"
        time.sleep(0.1)
    return token


def verify(keys: jwt.PyJWKClient, token: str, site: Site) -> None:
    jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], audience=API, issuer=site.url)


@pytest.mark.row("KY-01")
def test_a_rotation_is_not_noticed(long_running: Site, obtain: Callable[[], str]) -> None:
    """The cache filled before the rotation has the key that signs after it, so PyJWKClient has no reason to ask again."""
    keys = CountingClient(f"{long_running.url}/jwks.json")
    before = obtain()
    verify(keys, before, long_running)
    long_running.flask("keys", "rotate")
    after = wait_for_another_key(obtain, before)
    verify(keys, after, long_running)
    assert keys.fetches == 1
    fresh = jwt.PyJWKClient(f"{long_running.url}/jwks.json")
    verify(fresh, before, long_running)
    verify(fresh, after, long_running)


@pytest.mark.row("KY-02")
def test_an_emergency_leaves_no_stolen_key_to_who_asks_anew(long_running: Site, obtain: Callable[[], str]) -> None:
    keys = CountingClient(f"{long_running.url}/jwks.json")
    stolen = obtain()
    verify(keys, stolen, long_running)
    long_running.flask("keys", "rotate", "--emergency")
    verify(keys, wait_for_another_key(obtain, stolen), long_running)
    assert keys.fetches == 1, "what signs now was published before"
    with pytest.raises(jwt.PyJWKClientError, match="Unable to find a signing key"):
        verify(jwt.PyJWKClient(f"{long_running.url}/jwks.json"), stolen, long_running)
