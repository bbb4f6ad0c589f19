"""The table and the chart: medians over the rounds, ratios within a round, and the spread."""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass, field
from statistics import median
from xml.sax.saxutils import escape

from .footprint import Note
from .grown_rows import Sizes
from .servers import HERE
from .work import Figures

#: Least ratios that we hold ourselves to: work and server -> (to the raw signature, to node-oidc-provider).
TARGETS: dict[tuple[str, str], tuple[float | None, float | None]] = {
    ("client credentials", "SQLite"): (0.50, 1.0),
    ("code flow", "SQLite"): (None, 1.0),
    ("code flow", "PostgreSQL"): (None, 0.7),
    ("refresh", "SQLite"): (0.20, None),
    ("introspection", "SQLite"): (2500 / 4400, None),
    ("userinfo", "SQLite"): (2500 / 4400, None),
    ("JWKS", "SQLite"): (10_000 / 4400, None),
    ("discovery", "SQLite"): (10_000 / 4400, None),
}

#: How the name of a server ends whose database has grown, and what it must keep of its rate over an empty one.
GROWN = ", grown"
KEPT_WHEN_GROWN = 0.9


@dataclass
class Row:
    """The runs of one kind of work: signatures a second of each round, and for each server its figures of each round."""

    name: str
    raw: list[float] = field(default_factory=list)
    runs: dict[str, list[Figures]] = field(default_factory=dict)

    def rate(self, server: str) -> float:
        return median(one.rate for one in self.runs[server])

    def ratios(self, server: str, other: str | None = None) -> list[float]:
        """Round by round: the server's rate over the raw signature's, or over another server's."""
        below = self.raw if other is None else [one.rate for one in self.runs.get(other, [])]
        return [one.rate / base for one, base in zip(self.runs[server], below, strict=False)]


def write(rows: list[Row], notes: list[Note], options: argparse.Namespace) -> None:
    """Print the report; write it and the chart beside this file when everything was measured."""
    text = _text(rows, notes, Sizes().times(options.grown) if options.grown else None)
    print(text)
    if options.grown and not options.only:
        (HERE / "results-grown.md").write_text(text, "utf-8")
    elif not options.only:
        (HERE / "results.md").write_text(text, "utf-8")
        (HERE / "chart.svg").write_text(_chart(rows), "utf-8")


def _text(rows: list[Row], notes: list[Note], grown: Sizes | None) -> str:
    lines = [
        "# How fast it is",
        "",
        f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())} with `make bench`: {platform.machine()}, "
        f"Python {platform.python_version()}, the server on one core with one worker, wrk with 8 connections on another.",
        "RS256 with 2048 bits and JWT access tokens everywhere. Our databases are durable (SQLite with `synchronous=FULL`, PostgreSQL with",
        "its defaults, on the load's core); node-oidc-provider 9.13.3 keeps everything in memory.",
        *([f"Grown before the run: {grown}."] if grown else []),
        "Rates are a second, medians of the rounds; ratios are medians of the ratios within a round, with the least and the greatest.",
        "",
        f"| work | server | rate | p50 ms | p99 ms | ÷ raw RS256 signature | ÷ {'empty' if grown else 'node (memory)'} | target |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        for server, runs in row.runs.items():
            cells = [row.name, server, f"{row.rate(server):,.0f}"]
            cells += [f"{median(one.p50_ms for one in runs):.1f}", f"{median(one.p99_ms for one in runs):.1f}"]
            other = server.removesuffix(GROWN) if grown else "node"
            cells += [_spread(row.ratios(server)), _spread(row.ratios(server, other)) if server != other else ""]
            lines.append("| " + " | ".join([*cells, _target(row, server)]) + " |")
    if notes:
        lines += ["", "| besides | | target |", "|---|--:|---|"]
        lines += [f"| {note.what} | {note.figure} | {note.target} |" for note in notes]
    return "\n".join(lines) + "\n"


def _spread(ratios: list[float]) -> str:
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else ""


def _target(row: Row, server: str) -> str:
    if server.endswith(GROWN):
        kept = median(row.ratios(server, server.removesuffix(GROWN)))
        return f"{'met' if kept >= KEPT_WHEN_GROWN else 'missed'}: {KEPT_WHEN_GROWN:.2f} × empty"
    to_raw, to_node = TARGETS.get((row.name, server), (None, None))
    said = []
    for target, ratios, name in ((to_raw, row.ratios(server), "raw"), (to_node, row.ratios(server, "node"), "node")):
        if target is not None and ratios:
            said.append(f"{'met' if median(ratios) >= target else 'missed'}: {target:.2f} × {name}")
    return ", ".join(said)


def _chart(rows: list[Row]) -> str:
    """Bars of what signs, each work's rates side by side; the names in words, so that it can be read without colours."""
    shown = [row for row in rows if row.name in ("client credentials", "code flow", "refresh")]
    most = max(row.rate(server) for row in shown for server in row.runs)
    parts, y = [], 30
    for row in shown:
        parts.append(f'<text x="0" y="{y}" class="work">{escape(row.name)}</text>')
        for server in row.runs:
            rate = row.rate(server)
            y += 22
            width = 420 * rate / most
            name = "node-oidc-provider (memory)" if server == "node" else f"this server ({server})"
            parts.append(
                f'<rect x="200" y="{y - 13}" width="{width:.0f}" height="16" rx="3" class="{"node" if server == "node" else "ours"}"/>'
            )
            parts.append(
                f'<text x="190" y="{y}" text-anchor="end">{escape(name)}</text><text x="{208 + width:.0f}" y="{y}">{rate:,.0f}/s</text>'
            )
        y += 34
    style = (
        "text{font:13px system-ui,sans-serif;fill:#333}.work{font-weight:600}.ours{fill:#4f6bd8}.node{fill:#a9adb8}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {y}" role="img" aria-label="Requests a second on one core">'
        f"<style>{style}</style>{''.join(parts)}</svg>\n"
    )
