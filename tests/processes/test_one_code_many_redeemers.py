"""F-01 and F-02: fifty valid redemptions of one code at one instant give tokens once, and those tokens end with the replay."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from oidc_server.database import db
from oidc_server.tokens import Family, names

from . import swarm
from .held import held
from .site import Site
from .swarm import batched

CODES = 50
REDEEMERS = 50
#: Codes that are redeemed at the same time, each by so many.
TOGETHER = 10


@pytest.mark.row("AC-01", "AC-02", "FT-01")
@pytest.mark.spec("RFC 6749 §4.1.2")
def test_of_fifty_simultaneous_redeemers_one_gets_tokens_and_then_nobody_has_any(site: Site) -> None:
    codes = site.obtain_codes(CODES)
    assert len(set(codes)) == CODES
    some = batched([site.redemption(code) for code in codes], TOGETHER)
    sent = site.send([[request for request in requests for _ in range(REDEEMERS)] for requests in some])
    waves = [answers for wave in sent for answers in batched(wave, REDEEMERS)]

    assert len(waves) == CODES
    assert min(map(swarm.at_once, sent)) == TOGETHER * REDEEMERS, "every wave was under way before its first answer"
    assert {answer.worker for wave in waves for answer in wave} == set(site.worker_pids())
    outcomes = Counter((answer.status, answer.json.get("error", "")) for wave in waves for answer in wave)
    print(f"F-01 on {site.kind}: {CODES} codes x {REDEEMERS} redeemers over {site.workers} workers: {dict(outcomes)}")
    winners = []
    for wave in waves:
        won = [answer for answer in wave if answer.status == 200]
        assert len(won) == 1
        winners += [won[0].json]
    assert outcomes == {(200, ""): CODES, (400, "invalid_grant"): CODES * (REDEEMERS - 1)}

    # F-02: the losers were replays, so whatever the winners got is worth nothing, on every worker.
    looks = site.to_every_worker(*(site.introspection(won["access_token"]) for won in winners))
    assert Counter(answer.body for look in looks for answer in look) == {'{"active":false}': CODES * site.workers}
    tries = site.to_every_worker(*(site.refreshing(won["refresh_token"]) for won in winners))
    refused = Counter((answer.status, answer.json["error"]) for attempt in tries for answer in attempt)
    assert refused == {(400, "invalid_grant"): CODES * site.workers}
    print(
        f"F-02 on {site.kind}: {CODES} access and {CODES} refresh tokens asked for at {site.workers} workers: 0 alive"
    )
    with site.app.app_context():
        given = Family.id.in_([names.of_code(code) for code in codes])
        families = db.session.scalars(sa.select(Family).where(given)).all()
        assert len(families) == CODES
        assert {family.revoked_because for family in families} == {"code replayed"}


@pytest.mark.row("AC-11")
def test_a_replay_while_the_winner_is_still_at_work_ends_what_the_winner_gets(site: Site) -> None:
    (code,) = site.obtain_codes(1)
    with held(site, "token_families") as lock:
        both = site.begin(site.redemption(code), site.redemption(code))
        lock.wait_for(2)
    answers = both.result(20)
    assert len({answer.worker for answer in answers}) == 2
    assert sorted(answer.status for answer in answers) == [200, 400]
    (won,) = (answer.json for answer in answers if answer.status == 200)
    (look,) = site.to_every_worker(site.introspection(won["access_token"]))
    assert [answer.json for answer in look] == [{"active": False}] * site.workers
    assert site.ask(site.refreshing(won["refresh_token"])).json["error"] == "invalid_grant"
