"""F-10: keys rotate while tokens are issued and verified without a pause, and nobody notices. F-10e: in an emergency everybody does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import flows

from .requests_as_text import API
from .resource_servers import HABITS, ResourceServer
from .site import Site

#: Seconds of the server in one of the machine: three rotations of minutes take seconds.
HURRY = 40
MAX_AGE = 60
ROTATIONS = 3
LIFETIME = 60


class HurriedSite(Site):
    """Two workers whose clock is fast; `now` is what it shows."""

    target = "tests.processes.hurried:app"

    def __init__(self, folder: Path) -> None:
        self.since = time.time()
        super().__init__(
            folder, workers=2, jwks_max_age=MAX_AGE, access_token_lifetime=LIFETIME, id_token_lifetime=LIFETIME
        )

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {"HURRIED_SINCE": str(self.since), "HURRIED_BY": str(HURRY)}

    def now(self) -> float:
        return self.since + (time.time() - self.since) * HURRY


class Issuing(threading.Thread):
    """An app that gets a token after the other, until it is told to stop; each is verified at once and again when it is about to end."""

    def __init__(self, site: HurriedSite) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.enough = threading.Event()
        self.kids: Counter[str] = Counter()
        self.fault: BaseException | None = None
        self.apis: list[ResourceServer] = [habit(f"{site.url}/jwks.json", site.now, MAX_AGE) for habit in HABITS]
        self._aging: deque[tuple[float, str, str]] = deque()

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                # A new connection now and then, so that both workers have their turn.
                connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=10)
                for _ in range(20):
                    self._once(connection)
                connection.close()
        except BaseException as error:
            self.fault = error

    def _once(self, connection: http.client.HTTPConnection) -> None:
        text = self.site.post("/token", "machine", grant_type="client_credentials", resource=API)
        head, _, body = text.partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        connection.request("POST", "/token", body, headers)
        answer = connection.getresponse()
        given: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, given
        token = given["access_token"]
        kid, claims = flows.header_of(token)["kid"], flows.claims_of(token)
        self.kids[kid] += 1
        self._aging.append((claims["exp"], token, kid))
        self._verify(token, kid)
        # Ten seconds of its clock before a token ends: still a quarter of a second of ours.
        while self._aging and self._aging[0][0] - 10 <= self.site.now():
            _, token, kid = self._aging.popleft()
            self._verify(token, kid)

    def _verify(self, token: str, kid: str) -> None:
        for api in self.apis:
            api.verify(token, kid)


@pytest.fixture
def hurried(tmp_path: Path) -> Iterator[HurriedSite]:
    with HurriedSite(tmp_path / "server") as site:
        assert isinstance(site, HurriedSite)
        yield site


@pytest.mark.row("KY-01", "KY-07")
@pytest.mark.spec("OIDC Core §10.1.1")
def test_three_rotations_under_load_fail_no_verification(hurried: HurriedSite) -> None:
    workers = hurried.worker_pids()
    load = Issuing(hurried)
    load.start()
    for _ in range(ROTATIONS):
        # One after the other, sooner than verifiers fetch: a key that is told to sign waits until it was published for its lead.
        assert json.loads(hurried.run_flask("keys", "rotate", "--json"))["rotated"] is True
    deadline = time.monotonic() + 20
    while len(load.kids) < ROTATIONS + 1 and load.is_alive():
        assert time.monotonic() < deadline, "the last key never signed"
        time.sleep(0.1)
    time.sleep((LIFETIME + MAX_AGE) / HURRY)
    load.enough.set()
    load.join(20)

    assert load.fault is None, repr(load.fault)
    habits = ", ".join(f"{type(api).__name__} {api.verified} verified in {api.fetches} fetches" for api in load.apis)
    print(f"F-10: {ROTATIONS} rotations, {load.kids.total()} tokens by {len(load.kids)} keys; {habits}")
    assert len(load.kids) == ROTATIONS + 1, "each rotation changed the key that signs"
    assert [api.failures for api in load.apis] == [[], [], []]
    assert min(api.verified for api in load.apis) > load.kids.total() > 200
    assert hurried.worker_pids() == workers, "nobody was restarted"


@pytest.mark.row("KY-02")
def test_in_an_emergency_the_stolen_key_and_its_tokens_are_dead_within_a_second(sqlite_site: Site) -> None:
    site = sqlite_site
    asking = site.post("/token", "machine", grant_type="client_credentials", resource=API)
    token = site.ask(asking).json["access_token"]
    stolen = flows.header_of(token)["kid"]
    looks = site.get("/jwks.json"), site.introspection(token), asking
    published, alive, _ = site.to_every_worker(*looks)
    assert all(stolen in answer.body for answer in published)
    assert all(answer.json["active"] for answer in alive)

    told = json.loads(site.run_flask("keys", "rotate", "--emergency", "--json"))
    done = time.monotonic()
    assert told["refused_kids"] == [stolen]
    while True:
        published, dead, new = site.to_every_worker(*looks)
        took = time.monotonic() - done
        kids = {flows.header_of(answer.json["access_token"])["kid"] for answer in new}
        if stolen not in kids and not any(answer.json["active"] for answer in dead):
            break
        assert took < 1.5, "the stolen key was still believed"
    assert all(stolen not in answer.body for answer in published)
    assert len(kids) == 1
    print(f"F-10e: dead on {site.workers} workers {took:.2f} s after the command")
