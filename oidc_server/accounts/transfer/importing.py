"""Writing the people of a file into the database, a batch in one transaction, so that a second run finds those of the first.

Who is there already is left as it is, or changed with `update`: then what a line says replaces what there was, and what it leaves out
stays. A password hash replaces only one that came from elsewhere too: who has signed in here since has the newer password here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.exc import IntegrityError

from ...database import transact
from .columns import LineRefused, Person, person_of
from .plan import Plan
from .reading import Line

BATCH = 500
# On PostgreSQL somebody may take a name between our question and our insert; the next try sees it.
_TRIES = 3


@dataclass
class Outcome:
    """What became of a line: created, updated, existing (left as it is) or refused, and why."""

    line: int
    username: str
    outcome: str
    reasons: list[str] = field(default_factory=list)


def import_people(
    lines: Iterable[Line], *, update: bool = False, dry_run: bool = False, tell: Callable[[Outcome], None]
) -> Counter[str]:
    """Write everybody who can be, tell what became of each line in its order, and count the outcomes.

    A line that is refused stops nobody else. Not to be called inside transact().
    """
    counts: Counter[str] = Counter()
    # On disk, because a million names would be a hundred megabytes in memory; SQLite deletes the file by itself.
    with closing(sqlite3.connect("")) as seen:
        seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        for batch in _batches(lines):
            for outcome in _import_batch(batch, seen, update, dry_run):
                counts[outcome.outcome] += 1
                tell(outcome)
    return counts


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _import_batch(batch: list[Line], seen: sqlite3.Connection, update: bool, dry_run: bool) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    people: list[Person] = []
    for line in batch:
        try:
            if line.problem is not None:
                raise line.problem
            person = person_of(line.number, line.values)
            _require_first(person, seen)
            people.append(person)
        except LineRefused as refused:
            username = line.values.get("username")
            outcomes[line.number] = Outcome(
                line.number, username[:100] if isinstance(username, str) else "", "refused", refused.reasons
            )

    def work() -> Plan:
        plan = Plan(people, update=update)
        if not dry_run:
            plan.write()
        return plan

    plan = Plan(people, update=update) if dry_run else _written(work)
    for person, (outcome, reasons) in zip(people, plan.outcomes, strict=True):
        outcomes[person.line] = Outcome(person.line, person.username, outcome, reasons)
    return [outcomes[line.number] for line in batch]


def _written(work: Callable[[], Plan]) -> Plan:
    for _ in range(_TRIES - 1):
        try:
            return transact(work)
        except IntegrityError:
            continue
    return transact(work)


def _require_first(person: Person, seen: sqlite3.Connection) -> None:
    """Refuse a name, address or sub that an earlier line of the file has."""
    keys = {"username_key": "user name", "email_key": "e-mail address", "id": "sub"}
    given = {name: f"{name} {person.columns[name]}" for name in keys if name in person.columns}
    reasons = []
    for name, key in given.items():
        row = seen.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        if row is not None:
            reasons.append(f"The {keys[name]} is that of line {row[0]} already.")
    if reasons:
        raise LineRefused(*reasons)
    seen.executemany("INSERT INTO seen VALUES (?, ?)", [(key, person.line) for key in given.values()])
