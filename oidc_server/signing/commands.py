"""`flask keys list|rotate`."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from ..database import now
from ..server import current_server
from .changes import Change
from .keyring import Keyring
from .keys import Key, KeysUnusable

keys = AppGroup("keys", help="Signing keys: what is published, what signs, and their rotation.")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the keys with their states and times."""
    keyring = _keyring()
    try:
        ring, switch = keyring.changes.ring(), keyring.changes.next_switch()
    except KeysUnusable as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"keys": [_row(key) for key in ring.keys], "next_switch": _utc(switch)}, indent=2))
        return
    for key in sorted(ring.keys, key=lambda key: ("active", "next", "retired", "gone").index(key.state(now()))):
        click.echo(f"{key.kid}  {key.alg:<5}  {_sentence(key)}")
    click.echo(
        f"The next switch is at {_utc(switch)}." if switch else "No switch is planned; `flask keys rotate` makes one."
    )


@keys.command("rotate")
@click.option(
    "--emergency", is_flag=True, help="A key was stolen: refuse at once every key that has signed; its tokens die."
)
@click.option(
    "--all", "everything", is_flag=True, help="The whole folder was stolen: refuse every key, the next ones too."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rotate_command(emergency: bool, everything: bool, as_json: bool) -> None:
    """Let the next keys sign, and publish new next keys.

    Without an option nobody notices: the old keys stay published until the last token they signed has ended.
    """
    kind = "everything" if everything else "emergency" if emergency else "planned"
    keyring = _keyring()
    try:
        change = keyring.rotate(kind, asked_at=_asked_at())
    except KeysUnusable as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        summary = {"rotated": change.done, "new_kids": change.new_kids, "refused_kids": change.refused_kids}
        click.echo(json.dumps(summary | {"keys": [_row(key) for key in change.after.keys]}, indent=2))
        return
    for line in _report(change, keyring):
        click.echo(line)


def _keyring() -> Keyring:
    keyring: Keyring = current_server.keyring
    return keyring


def _report(change: Change, keyring: Keyring) -> list[str]:
    if not change.done:
        return ["Another process has just rotated the keys; nothing was left to do."]
    lines = [f"{kid} is refused from now on, and every token it signed." for kid in change.refused_kids]
    for alg in keyring.algorithms:
        last, standby = change.after.last(alg), change.after.standby(alg)
        if last and last.active_from is not None:
            signs = "signs now" if last.active_from <= now() else f"signs from {_utc(last.active_from)}"
            lines.append(f"{last.kid} {signs} ({alg}).")
        if standby:
            lines.append(f"{standby.kid} is published and next.")
    if change.refused_kids:
        lines.append(
            "Verifiers may cache the old key set a while longer: have them fetch it again. Apps refresh by themselves."
        )
    return lines


def _sentence(key: Key) -> str:
    match key.state(now()):
        case "next" if key.active_from is None:
            return f"next     published since {_utc(key.created_at)}, waits for a rotation"
        case "next":
            return f"next     published since {_utc(key.created_at)}, signs from {_utc(key.active_from)}"
        case "active" if key.retired_at is None:
            return f"active   signs since {_utc(key.active_from)}"
        case "active":
            return f"active   signs since {_utc(key.active_from)} until {_utc(key.retired_at)}"
        case "retired":
            return f"retired  signed until {_utc(key.retired_at)}, published until {_utc(key.gone_at)}"
        case _:
            why = "refused in an emergency" if key.emergency else "no longer published"
            return f"gone     {why} since {_utc(key.gone_at)}"


def _row(key: Key) -> dict[str, Any]:
    times = {name: _utc(getattr(key, name)) for name in ("created_at", "active_from", "retired_at", "gone_at")}
    return {"kid": key.kid, "alg": key.alg, "state": key.state(now()), **times, "emergency": key.emergency}


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _asked_at() -> float | None:
    """When the operator asked, seconds since the epoch: the start of this process; None where the system is silent.

    Ten commands entered at once start up at different speeds: the first may have rotated before the last has read.
    """
    try:
        # The name in parentheses may hold spaces; after it, the 20th is the start in ticks since boot (proc(5)).
        started = int(Path("/proc/self/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return now() - max(age, 0.0)
