"""`make bench`: measures, prints the table, writes benchmarks/results.md and benchmarks/chart.svg.

The server under test has one core to itself, the load the other. Each kind of work runs in rounds: the raw signature, ours,
node-oidc-provider, and again; ratios are taken within a round, so a machine whose speed drifts harms both alike. Printed are medians
and the spread.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.live import PostgreSQL

from . import footprint, growth, report
from .grown_rows import Sizes
from .report import Row
from .servers import HERE, SERVER_CORE, NodeProvider, Ours, Target
from .work import WORK, Work


def raw_signing(seconds: float) -> float:
    """Signatures a second of the server's core, in this moment."""
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "benchmarks.raw_signing", str(seconds)]
    return float(subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=True).stdout)


def measure(work: Work, ours: list[Target], node: Target | None, rounds: int, seconds: float) -> Row:
    """Rounds of one kind of work; a first, short one warms up and is thrown away."""
    row = Row(work.name)
    targets = [*ours, *([node] if node is not None and work.on_node else [])]
    for target in targets:
        work.run(target, 1)
    for number in range(rounds):
        print(f"· {work.name}: round {number + 1} of {rounds}", file=sys.stderr)
        row.raw.append(raw_signing(1))
        for target in targets:
            row.runs.setdefault(target.name, []).append(work.run(target, seconds))
    return row


def main() -> None:
    """Measure what the options name. Exits with a sentence when a tool is missing."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="length of one run")
    parser.add_argument("--only", help="kinds of work, with commas between")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--without-node", action="store_true")
    parser.add_argument(
        "--grown",
        type=float,
        default=0,
        help="beside each empty database one with this much of grown_rows.Sizes in it (0.1: a tenth)",
    )
    options = parser.parse_args()
    for tool, package in (("wrk", "wrk"), ("taskset", "util-linux"), ("node", "nodejs")):
        if not shutil.which(tool) and not (tool == "node" and options.without_node):
            sys.exit(f"{tool} is missing; on Debian and Ubuntu: apt install {package}")
    chosen = [work for work in WORK if not options.only or work.name in options.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        kinds: dict[str, Callable[[], str | None]] = {"sqlite": lambda: None}
        postgresql = None
        if "postgresql" in options.databases:
            (folder / "postgresql").mkdir()
            postgresql = PostgreSQL(folder / "postgresql")
            kinds["postgresql"] = postgresql.new_database
        ours: list[Target] = []
        started: list[Ours | NodeProvider] = []
        try:
            for kind, new_database in kinds.items():
                if kind not in options.databases:
                    continue
                if options.grown:
                    grown = Ours(folder / kind / "grown", new_database())
                    grown.name += report.GROWN
                    growth.seed(grown.app.config["SQLALCHEMY_DATABASE_URI"], Sizes().times(options.grown))
                    started.append(grown.start())
                started.append(Ours(folder / kind / "server", new_database()).start())
            ours = list(started)
            node = None if options.without_node else NodeProvider(folder)
            if node is not None:
                started.append(node.start())
            rows = [measure(work, ours, node, options.rounds, options.seconds) for work in chosen]
        finally:
            for server in started:
                server.stop()
        notes = footprint.measure(folder) if not options.only and not options.grown else []
        if postgresql is not None:
            postgresql.stop()
    report.write(rows, notes, options)


if __name__ == "__main__":
    main()
