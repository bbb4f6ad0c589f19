"""One server for this folder, and Alice with a fresh browser for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .node_program import NodeProgram
from .person import Person
from .site import ALGORITHMS, Site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that signs with every algorithm; each test registers apps of its own."""
    running = Site(tmp_path_factory.mktemp("interop") / "server", signing_algorithms=",".join(ALGORITHMS))
    with running:
        yield running


@pytest.fixture
def alice(site: Site) -> Person:
    """Alice at a browser that has never been here."""
    return Person(site.url)


@pytest.fixture(scope="module")
def node_program() -> Iterator[Callable[[str], NodeProgram]]:
    """Start a program of the folder node/, which answers calls until the module ends."""
    started: list[NodeProgram] = []

    def start(name: str) -> NodeProgram:
        started.append(NodeProgram(Path(__file__).parent / "node" / name))
        return started[-1]

    yield start
    for program in started:
        program.stop()
