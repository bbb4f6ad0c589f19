"""Statements of the hot paths: compiled once for each database, then handed to its driver as they are.

Through SQLAlchemy's execution a read by key took 24 µs of CPU, of which SQLite worked two; so it takes 4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from . import drivers
from .drivers import Row

M = TypeVar("M")
_Process = Callable[[Any], Any]


class Statement:
    """A Core statement that runs often, with bound parameters for everything that changes; rows are plain tuples."""

    def __init__(self, built: sa.Select[*tuple[Any, ...]] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._built = built
        self.writes = not isinstance(built, sa.Select)
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Row]:
        """Every row that it gives. Raises KeyError for a parameter that is missing, and what SQLAlchemy raises."""
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = _Text(self._built, dialect)
        rows = drivers.run(connection, text.sql, text.parameters(values))
        return [text.row(row) for row in rows] if text.results else rows


class Whole(Generic[M]):
    """Whole rows as objects of their class that belong to no session, so only read them: 11 µs where the ORM took 130.

    What is joined becomes an attribute: Whole(Session, account=Whole(Account)).
    """

    def __init__(self, model: type[M], **joined: Whole[Any]) -> None:
        mapper = sa.inspect(model)
        own = mapper.column_attrs
        self._new: Callable[[], M] = mapper.class_manager.new_instance
        self._names = [attribute.key for attribute in own]
        self._joined = joined
        self.columns = [column for attribute in own for column in attribute.columns]
        for other in joined.values():
            self.columns += other.columns

    def new(self, **values: Any) -> M:
        """An object of these values, which are all that it has."""
        made = self._new()
        vars(made).update(values)
        return made

    def of(self, row: Row | None) -> M | None:
        """The object of a row of these columns."""
        return None if row is None else self._made(row)

    def _made(self, row: Row) -> M:
        made = self._new()
        held = vars(made)
        held.update(zip(self._names, row, strict=False))
        at = len(self._names)
        for name, other in self._joined.items():
            held[name] = other._made(row[at : at + len(other.columns)])
            at += len(other.columns)
        return made


class _Text:
    """A statement in the words of one database, with what turns values into its types and back."""

    def __init__(self, built: Any, dialect: Dialect) -> None:
        compiled = built.compile(dialect=dialect)
        self.sql: str = compiled.string
        self._is_positional = compiled.positiontup is not None
        self._inputs: list[tuple[str, _Process | None]] = []
        # What stands in the statement itself, such as the 1 of `generation + 1`.
        self._constants: dict[str, Any] = {}
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        for name in compiled.positiontup or binds:
            bind = binds[name]
            self._inputs.append((name, bind.type.dialect_impl(dialect).bind_processor(dialect)))
            if not bind.required:
                self._constants[name] = compiled.params[name]
        outputs = [column.type.dialect_impl(dialect) for column in built.exported_columns]
        # Doubles come as floats from both drivers.
        found = [None if isinstance(one, sa.Float) else one.result_processor(dialect, None) for one in outputs]
        self.results = [(at, process) for at, process in enumerate(found) if process is not None]

    def parameters(self, values: Mapping[str, Any]) -> Row | dict[str, Any]:
        known = {**self._constants, **values} if self._constants else values
        if self._is_positional:
            return tuple([known[name] if process is None else process(known[name]) for name, process in self._inputs])
        return {name: known[name] if process is None else process(known[name]) for name, process in self._inputs}

    def row(self, row: Row) -> Row:
        changed = list(row)
        for at, process in self.results:
            changed[at] = process(changed[at])
        return tuple(changed)


def to_json(value: Any) -> str:
    """The text of a JSON column."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # what a client sent: a lone surrogate, or an integer beyond 64 bits
        return json.dumps(value)


def from_json(text: str | bytes) -> Any:
    """The value of a JSON column; in a third of the time that the standard library takes."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
