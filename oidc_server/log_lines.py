"""How log lines leave: one event one line, to standard error or to a file that only its owner reads."""

from __future__ import annotations

import logging
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import g, has_request_context

#: The logger whose lines are JSON already.
AUDIT = f"{__name__.partition('.')[0]}.audit"


class OneLine(logging.Formatter):
    """Audit lines as they are; other messages with time, level, name and request id, one event one line.

    The lines of a traceback follow indented behind a bar, so that none of them can pass for an event of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        if record.name == AUDIT:
            return record.getMessage()
        request_id = g.get("request_id", "-") if has_request_context() else "-"
        lines = [f"{utc(record.created)} {record.levelname} {record.name} {request_id} {escape(record.getMessage())}"]
        if record.exc_info:
            lines += [f"  | {escape(line)}" for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


class StandardError(logging.Handler):
    """Whatever standard error is at the moment of writing, as servers and test runners exchange it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # nobody listens any more; the request must not fail for that (LS-06)


class PrivateFile(logging.FileHandler):
    """A file that only its owner reads, opened at the first line; without it the lines go to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        path = Path(self.baseFilename)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            super().emit(record)
        except OSError:
            sys.stderr.write(self.format(record) + "\n")


def escape(text: str) -> str:
    """The text with every character escaped that ends a line, controls a terminal or hides."""
    return "".join(c.encode("unicode_escape").decode() if _is_unsafe(c) else c for c in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def is_of_command(logged: logging.LogRecord) -> bool:
    """Whether a line is of a `flask` command and not of a request."""
    # The context of a command belongs to its thread: the requests of `flask run` are served in others.
    return logged.name == AUDIT and not has_request_context() and click.get_current_context(silent=True) is not None


class AuditRecord(logging.LogRecord):
    """What a handler needs of an audit line. The place in the source, the thread and the process, which nobody prints, took 10 µs."""

    def __init__(self, text: str, at: float) -> None:
        self.name, self.levelno, self.levelname = AUDIT, logging.INFO, "INFO"
        self.msg, self.args, self.created, self.msecs = text, None, at, at % 1 * 1000
        self.pathname = self.filename = self.module = __file__
        self.lineno, self.funcName = 0, ""
        self.exc_info = self.exc_text = self.stack_info = None
        self.thread = self.threadName = self.process = self.processName = self.taskName = None
        self.relativeCreated = 0.0


def utc(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
