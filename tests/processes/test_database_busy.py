"""FT-07, FT-11, FT-27: locks that stay, deadlocks, a full disk: 503 soon, nothing half done, and no restart after it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from oidc_server.tokens import families

from .held import held
from .refusals import assert_unavailable
from .site import Site


@pytest.mark.row("FT-11", "FT-21", "FT-27")
def test_a_write_lock_that_is_never_released_is_503_in_seconds_and_reading_goes_on(
    sites: Callable[[str], Site],
) -> None:
    both = [sites("sqlite"), sites("postgresql")]  # at the same time, for it takes as long as a request may wait
    codes = {site.kind: site.obtain_codes(8) for site in both}
    tokens = {site.kind: site.obtain_tokens(1)[0] for site in both}
    with ExitStack() as locks:
        stuck = []
        for site in both:
            locks.enter_context(held(site, "token_families"))
            stuck.append(site.begin(*map(site.redemption, codes[site.kind])))
        time.sleep(0.3)
        for site in both:
            reads = site.begin(
                site.get("/healthz"),
                site.get("/jwks.json"),
                site.introspection(tokens[site.kind]["access_token"]),
                site.get("/.well-known/openid-configuration"),
            ).result(20)
            assert [answer.status for answer in reads] == [200] * len(reads)
            assert max(answer.ended - answer.started for answer in reads) < 1
        answers = [answer for waiting in stuck for answer in waiting.result(30)]
    for answer in answers:
        assert_unavailable(answer)
    for site in both:
        redeemed = site.begin(*map(site.redemption, codes[site.kind])).result(20)
        assert [answer.status for answer in redeemed] == [200] * len(redeemed)


@pytest.mark.row("FT-11")
def test_requests_that_deadlock_are_tried_again_and_both_succeed(sites: Callable[[str], Site]) -> None:
    """The request takes its code, then wants the family table; the other session has that and wants the code."""
    site = sites("postgresql")
    (code,) = site.obtain_codes(1)
    before = deadlocks(site)
    with psycopg.connect(site.direct_url) as other:
        other.execute("set deadlock_timeout = '10s'")  # so that the server finds out first, and is the one to give way
        other.execute("lock table token_families in exclusive mode")
        asked = site.begin(site.redemption(code))
        asked_until = time.monotonic() + 10
        time.sleep(0.3)
        other.execute("update short_lived_values set expires_at = expires_at where kind = 'authorization_code'")
        other.commit()
    assert asked.result(20)[0].status == 200
    while deadlocks(site) == before:  # the statistics come a moment later
        assert time.monotonic() < asked_until, "there was no deadlock"
        time.sleep(0.1)


@pytest.mark.row("FT-07")
def test_a_full_disk_is_503_and_no_token_escapes(sqlite_site: Site) -> None:
    """Files of the workers may not grow, their log neither, until there is space again."""
    site = sqlite_site
    (tokens,) = site.obtain_tokens(1)
    codes = site.obtain_codes(5)
    with full_disk(site.worker_pids()):
        answers = site.begin(
            *map(site.redemption, codes), site.refreshing(tokens["refresh_token"]), site.authorization("")
        ).result(20)
        for answer in answers[:-1]:
            assert_unavailable(answer)
        assert answers[-1].status == 503
        assert answers[-1].headers["content-type"].startswith("text/html")
        for reads in site.to_every_worker(site.get("/healthz"), site.get("/jwks.json")):
            assert [answer.status for answer in reads] == [200] * site.workers
    with site.app.app_context():
        assert [families.find_by_code(code) for code in codes] == [None] * len(codes)
    assert [answer.status for answer in site.begin(*map(site.redemption, codes)).result(20)] == [200] * len(codes)
    assert site.ask(site.refreshing(tokens["refresh_token"])).status == 200


def deadlocks(site: Site) -> int:
    """How many deadlocks PostgreSQL has resolved in this database."""
    with psycopg.connect(site.direct_url) as looker:
        row = looker.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone()
        assert row
        return int(row[0])


@contextmanager
def full_disk(workers: list[int]) -> Iterator[None]:
    """No file of these processes may grow beyond 4 kB: every write beyond that fails as on a full disk."""
    for worker in workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for worker in workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
