"""The lines of a file, one after the other: CSV with a header, or JSON objects. Bytes that were read are counted for the progress bar."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from ... import strict_json
from .columns import COLUMNS, LineRefused, from_texts

FORMATS = ("csv", "jsonl")
# Longer lines are no person.
_LONGEST_LINE = 128 * 1024
_BOM = b"\xef\xbb\xbf"


class FileRefused(ValueError):
    """The file as a whole cannot be read; the message says why and from which line on."""


@dataclass
class Line:
    """One person's line: its number in the file, what it says, or what is wrong with it."""

    number: int
    values: dict[str, Any]
    problem: LineRefused | None = None


class Lines:
    """The lines of a binary file, counted in lines and in bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.number = 0
        self.bytes_read = 0
        self._held: list[bytes] = []

    def first_byte(self) -> bytes:
        """The first byte that is no space, without taking anything away."""
        while True:
            line = self._read()
            if not line:
                return b""
            self._held.append(line)
            if line.removeprefix(_BOM).strip():
                return line.removeprefix(_BOM).lstrip()[:1]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            line = self._held.pop(0) if self._held else self._read()
            if not line:
                return
            self.number += 1
            self.bytes_read += len(line)
            if len(line) > _LONGEST_LINE:
                raise FileRefused(
                    f"Line {self.number} is longer than {_LONGEST_LINE} bytes; nothing after it was read."
                )
            yield line.removeprefix(_BOM) if self.number == 1 else line

    def _read(self) -> bytes:
        return self._file.readline(_LONGEST_LINE + 1)


def format_of(name: str, lines: Lines) -> str:
    """The format by the end of the file's name, else by its first character. Raises FileRefused."""
    suffix = PurePath(name).suffix.lower()
    first = lines.first_byte()
    if first == b"[":
        raise FileRefused("The file is one JSON array; write one object a line, as `jq -c '.[]'` does.")
    if suffix == ".csv":
        return "csv"
    return "jsonl" if suffix in (".jsonl", ".ndjson", ".json") or first == b"{" else "csv"


def read(lines: Lines, form: str) -> Iterator[Line]:
    """The people of a file. Raises FileRefused, also after some of them."""
    return _read_csv(lines) if form == "csv" else _read_jsonl(lines)


def _read_jsonl(lines: Lines) -> Iterator[Line]:
    for raw in lines:
        if not raw.strip():
            continue
        try:
            yield Line(lines.number, strict_json.read_object(raw))
        except ValueError:
            yield Line(
                lines.number, {}, LineRefused("The line is not one JSON object in UTF-8 that says each name once.")
            )


def _read_csv(lines: Lines) -> Iterator[Line]:
    rows = csv.reader((line.decode("utf-8", "surrogateescape") for line in lines), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise FileRefused("The first line is no CSV header.") from error
    _require_known(header)
    while True:
        first = lines.number + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(first, {}, LineRefused(f"The line is no CSV: {error}."))
            continue
        if row:
            yield _line_of(first, header, row)


def _line_of(number: int, header: list[str], row: list[str]) -> Line:
    if len(row) != len(header):
        return Line(number, {}, LineRefused(f"The line has {len(row)} values for {len(header)} columns."))
    if any("\udc80" <= character <= "\udcff" for cell in row if not cell.isascii() for character in cell):
        return Line(number, {}, LineRefused("The line is not UTF-8."))
    texts = dict(zip(header, row, strict=True))
    try:
        return Line(number, from_texts(texts))
    except LineRefused as refused:
        return Line(number, {"username": texts["username"]}, refused)


def _require_known(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        named = ", ".join(repr(name[:40]) for name in unknown[:10])
        raise FileRefused(f"Nothing is known of the columns {named}. There are: {', '.join(COLUMNS)}.")
    if len(set(header)) != len(header):
        raise FileRefused("The header names a column twice.")
    if "username" not in header:
        raise FileRefused("The header has no column username.")
