"""FT-03, FT-08 to FT-10: PostgreSQL stands still, comes back, or loses a connection in the middle of a COMMIT."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from oidc_server.database import db
from oidc_server.tokens import Family, names
from oidc_server.tokens.refresh_token import hash_of

from .refusals import assert_unavailable
from .site import Site
from .tcp_proxy import Proxy

#: Of each worker: database_pool_size and two.
THREADS = 7
INSERT_FAMILY = b"INSERT INTO token_families"
ROTATE_FAMILY = b"UPDATE token_families"


class ProxiedSite(Site):
    """Two workers that reach PostgreSQL through a proxy of ours."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder, workers=2, database_url=database_url)
        url = make_url(database_url)
        self.proxy = Proxy(f"{url.query['host']}/.s.PGSQL.{url.port or 5432}")
        self.settings["database_url"] = (
            f"postgresql+psycopg://{url.username}@127.0.0.1:{self.proxy.port}/{url.database}"
        )

    def stop(self) -> None:
        self.proxy.close()
        super().stop()


@pytest.fixture(scope="module")
def far_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedSite]:
    url = request.getfixturevalue("postgresql").new_database()
    with ProxiedSite(tmp_path_factory.mktemp("far") / "server", url) as site:
        assert isinstance(site, ProxiedSite)
        yield site


@pytest.mark.row("FT-08", "FT-21")
def test_a_database_that_stands_still_is_503_in_seconds_and_everything_works_when_it_goes_on(
    far_site: ProxiedSite,
) -> None:
    site = far_site
    codes = site.obtain_codes(3 * site.workers * THREADS)
    site.proxy.stand_still()
    # More than there are threads: those that come later must not wait for all who wait.
    *stuck, page = site.begin(*map(site.redemption, codes), site.get("/healthz"), site.authorization("")).result(30)
    site.proxy.go_on()
    went_on = time.monotonic()
    site.wait_for_workers(5)
    recovered = time.monotonic() - went_on
    assert len(stuck) > 3 * site.workers * THREADS
    for answer in stuck:
        assert_unavailable(answer)
    assert page.status == 503
    assert page.headers["content-type"].startswith("text/html")
    assert "retry-after" in page.headers
    assert "location" not in page.headers
    longest = max(answer.ended - answer.started for answer in [*stuck, page])
    print(
        f"FT-08: {len(stuck)} requests, 503 after {longest:.1f} s at most; as before {recovered:.1f} s after the return"
    )
    answers = site.begin(*map(site.redemption, codes)).result(30)
    assert [answer.status for answer in answers] == [200] * len(codes), "no code was spent in vain"
    assert len({answer.worker for answer in answers}) == site.workers
    assert site.ask(site.get("/healthz")).status == 200


@pytest.mark.row("FT-09")
def test_connections_that_a_restarted_database_dropped_are_replaced_without_a_failed_request(
    far_site: ProxiedSite,
) -> None:
    site = far_site
    codes = site.obtain_codes(24)
    workers = site.worker_pids()
    for wave in (codes[:8], codes[8:16], codes[16:]):
        site.proxy.cut_all()
        assert [answer.status for answer in site.begin(*map(site.redemption, wave)).result(30)] == [200] * 8
    assert site.worker_pids() == workers


@pytest.mark.row("FT-10")
def test_a_commit_whose_answer_is_lost_is_503_and_the_code_never_gives_a_second_family(far_site: ProxiedSite) -> None:
    site = far_site
    (code,) = site.obtain_codes(1)
    cut(site, INSERT_FAMILY)
    assert_unavailable(site.ask(site.redemption(code)))
    assert site.proxy.held.is_set(), "the connection was cut in the middle of the COMMIT"
    family = stored(site, Family.id == names.of_code(code))

    assert site.ask(site.redemption(code)).json["error"] == "invalid_grant"
    assert stored(site, Family.id == names.of_code(code)).id == family.id


@pytest.mark.row("FT-10", "RT-14")
def test_a_commit_whose_answer_is_lost_costs_no_refresh_token(far_site: ProxiedSite) -> None:
    site = far_site
    (tokens,) = site.obtain_tokens(1)
    cut(site, ROTATE_FAMILY)
    assert_unavailable(site.ask(site.refreshing(tokens["refresh_token"])))
    assert site.proxy.held.is_set(), "the connection was cut in the middle of the COMMIT"
    rotated = stored(site, Family.previous_hash == hash_of(tokens["refresh_token"]))

    answer = site.ask(site.refreshing(tokens["refresh_token"]))
    assert answer.status == 200
    assert hash_of(answer.json["refresh_token"]) == rotated.refresh_hash
    assert site.ask(site.refreshing(answer.json["refresh_token"])).status == 200


@pytest.mark.row("FT-03")
def test_workers_killed_after_the_commit_and_before_the_answer_cost_no_refresh_token(far_site: ProxiedSite) -> None:
    site = far_site
    (tokens,) = site.obtain_tokens(1)
    site.proxy.cut_all()
    site.proxy.hold_at_commit_of(ROTATE_FAMILY)
    lost = site.begin(site.refreshing(tokens["refresh_token"]))
    assert site.proxy.held.wait(3)
    rotated = stored(site, Family.previous_hash == hash_of(tokens["refresh_token"]))
    before = site.worker_pids()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert isinstance(lost.exception(10), (EOFError, ConnectionError))
    site.proxy.go_on()

    answer = site.ask_patiently(site.refreshing(tokens["refresh_token"]), seconds=8)
    assert answer.status == 200
    assert hash_of(answer.json["refresh_token"]) == rotated.refresh_hash
    site.wait_for_workers()
    assert not set(before) & set(site.worker_pids())


def cut(site: ProxiedSite, statement: bytes) -> None:
    site.proxy.cut_all()  # a new connection names its statements, an old one may have prepared them
    site.proxy.held.clear()
    site.proxy.cut_at_commit_of(statement)


def stored(site: Site, *which: sa.ColumnElement[bool]) -> Family:
    """The one family of which this is true, once it is there."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        with site.app.app_context():
            found = db.session.scalars(sa.select(Family).where(*which)).all()
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.02)
    raise AssertionError("nothing was stored")
