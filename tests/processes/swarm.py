"""Many HTTP requests at one instant, from a process of its own, over connections that stay open.

Standard input: {"port": …, "workers": [pid, …], "connections": …, "waves": [[request, …], …]}; a request is the text of one HTTP request.
Request n of a wave goes over connection n; a wave begins when the one before has been answered. The connections are taken in turn
from every worker, so that the first of them reach all workers. Standard output: the answers, wave by wave.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import psutil

ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What came back for one request, from which worker, and when (seconds of the monotonic clock)."""

    status: int
    headers: dict[str, str]
    body: str
    worker: int
    started: float
    ended: float

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def send(
    port: int, workers: list[int], waves: Sequence[Sequence[str]], *, connections: int = 0, seconds: float = 120
) -> list[list[Answer]]:
    """Run a swarm and wait for its answers."""
    connections = connections or max(len(wave) for wave in waves)
    job = {"port": port, "workers": workers, "connections": connections, "waves": waves}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.processes.swarm"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=seconds,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [[Answer(**answer) for answer in wave] for wave in json.loads(ran.stdout)]


def at_once(answers: list[Answer]) -> int:
    """How many of these requests were under way when the first of them was answered."""
    first = min(answer.ended for answer in answers)
    return sum(answer.started < first for answer in answers)


def batched(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


class Connection:
    """One HTTP/1.1 connection that answers one request at a time."""

    worker = 0

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.port: int = writer.get_extra_info("sockname")[1]

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer. Raises TimeoutError after a minute without one."""
        async with asyncio.timeout(60):
            return await self._ask(request)

    async def _ask(self, request: bytes) -> Answer:
        started = time.monotonic()
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status_line.split()[1]), headers, body.decode(), self.worker, started, time.monotonic())


async def answers(
    port: int, workers: list[int], waves: Sequence[Sequence[str]], connections: int = 0
) -> list[list[Answer]]:
    """What a swarm does: the answers to each wave. Without `workers` nobody asks which of them it was."""
    opened = await open_connections(port, workers, connections or max(len(wave) for wave in waves))
    answered = []
    for wave in waves:
        asked = zip(opened[: len(wave)], wave, strict=True)
        answered.append(list(await asyncio.gather(*(one.ask(request.encode()) for one, request in asked))))
    for one in opened:
        one.writer.close()
    return answered


async def open_connections(port: int, workers: list[int], count: int) -> list[Connection]:
    """`count` connections and as many more as it takes to reach every one of `workers`; taken from them in turn."""
    opened: list[Connection] = []
    deadline = time.monotonic() + 10
    while not opened or {one.worker for one in opened} < set(workers):
        assert time.monotonic() < deadline, "a worker accepts no connections"
        if opened:
            await asyncio.sleep(0.05)
            count = min(count, 8)
        more = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]
        if not workers:
            return more
        while any(one.worker == 0 for one in more):
            assert time.monotonic() < deadline, "the workers did not accept every connection"
            await asyncio.sleep(0.01)
            owners = _owners(workers)
            for one in more:
                one.worker = owners.get(one.port, 0)
        opened += more
    by_worker = [[one for one in opened if one.worker == worker] for worker in workers]
    return [one for one in chain.from_iterable(zip_longest(*by_worker)) if one is not None]


def _owners(workers: list[int]) -> dict[int, int]:
    """Which worker has accepted the connection from each local port."""
    held = ((worker, psutil.Process(worker).net_connections("tcp")) for worker in workers)
    return {connection.raddr.port: worker for worker, ones in held for connection in ones if connection.raddr}


async def _run(**job: Any) -> list[list[dict[str, Any]]]:
    return [[asdict(answer) for answer in wave] for wave in await answers(**job)]


if __name__ == "__main__":
    json.dump(asyncio.run(_run(**json.load(sys.stdin))), sys.stdout)
