"""`flask accounts import|export`: results on standard output, the progress bar on standard error."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, TextIO

import click

from ... import audit
from ...log_lines import escape
from ..commands import accounts
from . import reading
from .exporting import export_people
from .importing import Outcome, import_people

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_CLEAR_LINE = "\r\x1b[K"


@accounts.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "form", type=click.Choice(["auto", *reading.FORMATS]), default="auto", show_default=True)
@click.option("--update", is_flag=True, help="Change who is there already; what a line leaves out stays as it is.")
@click.option("--dry-run", is_flag=True, help="Read and judge every line, write nothing.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write what became of each line there, as JSON lines.")
def import_command(file: IO[bytes], form: str, update: bool, dry_run: bool, report: str | None) -> None:
    """Bring people along from FILE (- for standard input): CSV with a header, or one JSON object a line.

    docs/people.md lists the columns and the password hashes that can be read. Every line that is refused is named with the reason;
    the others are written all the same. The exit status is 1 when a line was refused. A second run finds who is there already.
    """
    lines = reading.Lines(file)
    failure = None
    with ExitStack() as stack:
        listing = stack.enter_context(_private(report)) if report else None
        size = _size_of(file)
        bar: ProgressBar[int] = stack.enter_context(
            click.progressbar(
                length=size or 1,
                file=sys.stderr,
                label="Importing",
                hidden=not (size and sys.stderr.isatty()),
                update_min_steps=(size or 1) // 200,
            )
        )

        def tell(outcome: Outcome) -> None:
            _tell(outcome, listing)

        def counted(people: Iterator[reading.Line]) -> Iterator[reading.Line]:
            before = 0
            for person in people:
                yield person
                bar.update(lines.bytes_read - before)
                before = lines.bytes_read

        problems: list[reading.FileRefused] = []
        try:
            form = reading.format_of(str(getattr(file, "name", "")), lines) if form == "auto" else form
            people = _until_refused(reading.read(lines, form), problems)
            counts = import_people(counted(people), update=update, dry_run=dry_run, tell=tell)
        except reading.FileRefused as error:
            raise click.ClickException(str(error)) from error
        failure = problems[0] if problems else None
    if not dry_run:
        audit.record(audit.ACCOUNTS_IMPORTED, by="command line", **counts)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("created", "updated", "existing", "refused"))
    click.echo(f"{'Nothing was written. It would be: ' if dry_run else ''}{told}.")
    if failure is not None:
        raise click.ClickException(str(failure))
    if counts["refused"]:
        sys.exit(1)


@accounts.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--with-hashes", is_flag=True, help="Password hashes too: keep the file as you keep the database.")
def export_command(form: str, with_hashes: bool) -> None:
    """Write everybody to standard output, in lines that `flask accounts import` reads.

    In CSV an apostrophe stands before a value that a spreadsheet would compute; the import takes it off again.
    """
    # UTF-8 whatever the terminal's settings are: it is a file for the import.
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        written = export_people(out, form, with_hashes=with_hashes)
    finally:
        out.detach()
    audit.record(audit.ACCOUNTS_EXPORTED, by="command line", number=written, with_hashes=with_hashes)
    click.echo(f"{written} accounts.", err=True)


def _until_refused(people: Iterator[reading.Line], problems: list[reading.FileRefused]) -> Iterator[reading.Line]:
    """The people up to where the file cannot be read any more: who came before stays, and is told."""
    first = True
    try:
        for person in people:
            first = False
            yield person
    except reading.FileRefused as refused:
        if first:
            raise
        problems.append(refused)


def _tell(outcome: Outcome, listing: TextIO | None) -> None:
    if listing is not None and outcome.outcome != "created":
        listing.write(json.dumps(vars(outcome), ensure_ascii=True) + "\n")
    if outcome.outcome == "refused":
        if sys.stderr.isatty():
            click.echo(_CLEAR_LINE, err=True, nl=False)
        named = f" ({escape(outcome.username)})" if outcome.username else ""
        click.echo(f"Line {outcome.line}{named}: {' '.join(outcome.reasons)}")


def _private(path: str) -> TextIO:
    """A new file that only its owner reads: it holds names."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _size_of(file: IO[bytes]) -> int | None:
    try:
        return os.fstat(file.fileno()).st_size or None
    except (OSError, ValueError):
        return None
