"""One server of four workers for each database, shared by the tests of this folder; its apps and its Alice are in site.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .site import Site

GRACE = 3


@pytest.fixture(scope="package")
def sites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """The shared server over a kind of database, started when it is first asked for."""
    started: dict[str, Site] = {}

    def start(kind: str) -> Site:
        if kind not in started:
            url = request.getfixturevalue("postgresql").new_database() if kind == "postgresql" else None
            folder: Path = tmp_path_factory.mktemp(kind) / "server"
            started[kind] = Site(folder, database_url=url, refresh_token_grace=GRACE).start()
        return started[kind]

    yield start
    for site in started.values():
        site.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, sites: Callable[[str], Site]) -> Site:
    """Four workers over each database that we promise."""
    return sites(request.param)


@pytest.fixture
def sqlite_site(sites: Callable[[str], Site]) -> Site:
    """Four workers over SQLite."""
    return sites("sqlite")
