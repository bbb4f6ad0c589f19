"""F-03: fifty refreshes with one token at one instant give one successor, and an old token ends the family."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa

from oidc_server.database import db
from oidc_server.tokens import Family, families, names
from oidc_server.tokens.refresh_token import hash_of, parse

from . import swarm
from .conftest import GRACE
from .site import Site
from .swarm import Answer, batched

FAMILIES = 50
REFRESHES = 50
#: Families that are refreshed at the same time, each by so many.
TOGETHER = 10
CHAIN = 100


@dataclass(frozen=True)
class Race:
    """Fifty families, and the answers when each was refreshed by fifty at one instant."""

    first: list[str]
    sent: list[list[Answer]]
    ended: float

    @property
    def waves(self) -> list[Sequence[Answer]]:
        """The answers of one family each."""
        return [answers for wave in self.sent for answers in batched(wave, REFRESHES)]

    @property
    def successors(self) -> list[dict[str, Any]]:
        return [wave[0].json for wave in self.waves]


@pytest.fixture(scope="module")
def race_on() -> Callable[[Site], Race]:
    """The race on a server; it is run once, and the tests look at it in their order."""

    @cache
    def race(site: Site) -> Race:
        first = [tokens["refresh_token"] for tokens in site.obtain_tokens(FAMILIES)]
        some = batched([site.refreshing(token) for token in first], TOGETHER)
        sent = site.send([[request for request in requests for _ in range(REFRESHES)] for requests in some])
        return Race(first, sent, time.monotonic())

    return race


@pytest.mark.row("RT-02", "FT-01")
@pytest.mark.spec("RFC 9700 §4.14.2")
def test_fifty_simultaneous_refreshes_with_one_token_get_one_and_the_same_pair(
    site: Site, race_on: Callable[[Site], Race]
) -> None:
    race = race_on(site)
    assert min(map(swarm.at_once, race.sent)) == TOGETHER * REFRESHES, "all were under way before the first answer"
    assert {answer.worker for wave in race.sent for answer in wave} == set(site.worker_pids())
    assert Counter(answer.status for wave in race.sent for answer in wave) == {200: FAMILIES * REFRESHES}
    assert [len({answer.body for answer in wave}) for wave in race.waves] == [1] * FAMILIES
    print(f"F-03 on {site.kind}: {FAMILIES} families x {REFRESHES} refreshes over {site.workers} workers: 1 pair each")
    live = [site.introspection(pair["refresh_token"], "web") for pair in race.successors]
    dead = [site.introspection(token, "web") for token in race.first]
    looks = [Counter(answer.json["active"] for answer in look) for look in site.answers([live, dead])]
    assert looks == [{True: FAMILIES}, {False: FAMILIES}]


@pytest.mark.row("RT-01")
@pytest.mark.spec("RFC 9700 §4.14.2")
def test_a_token_of_that_race_that_comes_back_after_the_grace_ends_its_family_on_every_worker(
    site: Site, race_on: Callable[[Site], Race]
) -> None:
    race = race_on(site)
    time.sleep(max(0.0, race.ended + GRACE - time.monotonic()))
    (reused,) = site.answers([[site.refreshing(token) for token in race.first]])
    assert Counter((answer.status, answer.json["error"]) for answer in reused) == {(400, "invalid_grant"): FAMILIES}
    looks = site.to_every_worker(*(site.introspection(pair["access_token"]) for pair in race.successors))
    assert Counter(answer.body for look in looks for answer in look) == {'{"active":false}': FAMILIES * site.workers}
    (ended,) = site.answers([[site.refreshing(pair["refresh_token"]) for pair in race.successors]])
    assert Counter(answer.status for answer in ended) == {400: FAMILIES}
    print(f"F-03 on {site.kind}: {FAMILIES} old tokens after the grace: {FAMILIES} families ended on every worker")


@pytest.mark.row("RT-03")
def test_the_generation_before_last_ends_the_family_even_within_the_grace(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    first = tokens["refresh_token"]
    second = refreshed(site, first)["refresh_token"]
    third = refreshed(site, second)
    assert site.ask(site.refreshing(first)).json["error"] == "invalid_grant"
    (look,) = site.to_every_worker(site.introspection(third["access_token"]))
    assert [answer.json for answer in look] == [{"active": False}] * site.workers


@pytest.mark.row("RT-04")
def test_a_revoked_token_gets_no_successor_within_the_grace_on_any_worker(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    refreshed(site, tokens["refresh_token"])
    assert site.ask(site.post("/revoke", "web", token=tokens["refresh_token"])).status == 200
    (tries,) = site.to_every_worker(site.refreshing(tokens["refresh_token"]))
    assert [answer.json["error"] for answer in tries] == ["invalid_grant"] * site.workers


@pytest.mark.row("RT-14", "HT-19", "FT-03")
def test_a_client_that_lost_the_answer_gets_the_same_successor(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    send_and_hang_up(site, site.refreshing(tokens["refresh_token"]))
    stored = wait_for(site, sa.select(Family).where(Family.previous_hash == hash_of(tokens["refresh_token"])))

    again = refreshed(site, tokens["refresh_token"])
    assert hash_of(again["refresh_token"]) == stored.refresh_hash
    assert refreshed(site, again["refresh_token"])["refresh_token"] != again["refresh_token"]


@pytest.mark.row("HT-19", "FT-03")
def test_a_code_whose_answer_was_lost_is_spent_and_its_replay_leaves_nothing_alive(site: Site) -> None:
    (code,) = site.obtain_codes(1)
    send_and_hang_up(site, site.redemption(code))
    assert wait_for(site, sa.select(Family).where(Family.id == names.of_code(code))).revoked_at is None

    assert site.ask(site.redemption(code)).json["error"] == "invalid_grant"
    with site.app.app_context():
        family = families.find_by_code(code)
        assert family is not None
        assert family.revoked_because == "code replayed"


@pytest.mark.row("RT-17")
def test_a_long_chain_of_refreshes_stays_one_row_and_every_old_token_is_remembered(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    chain, seconds = [tokens["refresh_token"]], []
    for _ in range(CHAIN):
        started = time.monotonic()
        chain.append(refreshed(site, chain[-1])["refresh_token"])
        seconds.append(time.monotonic() - started)
    third = CHAIN // 3
    assert sorted(seconds[-third:])[third // 2] < 3 * sorted(seconds[:third])[third // 2], "no cost per generation"
    parsed = parse_of(site, chain[0])
    with site.app.app_context():
        family = families.find(parsed)
        assert family is not None
        assert family.refresh_generation == CHAIN
        assert len({parse_of(site, token) for token in chain}) == 1
    assert site.ask(site.refreshing(chain[7])).status == 400
    assert site.ask(site.refreshing(chain[-1])).status == 400


def refreshed(site: Site, token: str) -> dict[str, Any]:
    answer = site.ask(site.refreshing(token))
    assert answer.status == 200, answer
    return answer.json


def parse_of(site: Site, token: str) -> str:
    with site.app.app_context():
        parsed = parse(token)
        assert parsed is not None
        return parsed.family_id


def send_and_hang_up(site: Site, text: str) -> None:
    """Send a request and reset the connection before anything can come back."""
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(text.encode())
        time.sleep(0.005)  # so that the server has read it


def wait_for(site: Site, query: Any) -> Any:
    deadline = time.monotonic() + GRACE / 2
    while time.monotonic() < deadline:
        with site.app.app_context():
            if (found := db.session.scalar(query)) is not None:
                return found
        time.sleep(0.01)
    raise AssertionError("the server did nothing with the request")
