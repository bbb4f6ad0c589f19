"""What one request said, as strict_form.py reads it and as it is parked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, overload

T = TypeVar("T")


class Form(Mapping[str, str]):
    """What one request said: an immutable mapping of names to values, empty values left out (RFC 6749 §3.1).

    A name of MAY_REPEAT maps to its first value and has the others in getlist(); `duplicates` are the names that were
    sent twice although they must not be.
    """

    __slots__ = ("_values", "duplicates")

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), duplicates: Iterable[str] = ()) -> None:
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            if value:
                values.setdefault(name, []).append(value)
        self._values = {name: tuple(held) for name, held in values.items()}
        self.duplicates = frozenset(duplicates)

    @classmethod
    def from_lists(cls, lists: Mapping[str, Iterable[str]]) -> Form:
        """The form that as_lists() was made of, such as a parked request."""
        return cls((name, value) for name, values in lists.items() for value in values)

    def as_lists(self) -> dict[str, list[str]]:
        """A copy that can be stored as JSON."""
        return {name: list(values) for name, values in self._values.items()}

    # As Mapping would find out by an exception, and three calls deep.
    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: T) -> str | T: ...
    def get(self, name: str, /, default: object = None) -> object:
        held = self._values.get(name)
        return default if held is None else held[0]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def getlist(self, name: str) -> list[str]:
        """Every value of a name, in the order sent."""
        return list(self._values.get(name, ()))

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Form({sorted(self._values)})"  # names only: values are secrets more often than not
