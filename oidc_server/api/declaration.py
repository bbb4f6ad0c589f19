"""What an address of the API is: its fields, its answers. A request is read by it, the OpenAPI document is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import request

from .. import csrf, strict_json
from ..languages import translate
from .problem import FieldErrors, Problem

PREFIX = "/api/v1/accounts"
#: What every address may answer, whatever it does.
ALWAYS = (
    "malformed-request",
    "foreign-sender",
    "length-required",
    "too-large",
    "unsupported-media-type",
    "invalid-fields",
    "too-many-requests",
    "server-error",
    "unavailable",
)


MOST_IN_A_LIST = 100


@dataclass(frozen=True)
class Field:
    """One member of the JSON object of a request: a text of at most `most` characters, a truth, or a list of such texts."""

    name: str
    description: str
    example: Any
    most: int = 254
    is_truth: bool = False
    is_secret: bool = False
    is_list: bool = False


@dataclass(frozen=True)
class Answer:
    """What an address answers when all is well; without an example it has no body."""

    status: int
    description: str
    example: dict[str, Any] | None = None
    schema: str = ""
    sets_session: bool = False


@dataclass(frozen=True)
class Operation:
    """One address. `ways` are the sets of fields of which one must be complete; `problems` are the names of problem.KINDS."""

    name: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]
    ways: tuple[tuple[str, ...], ...] = ((),)
    problems: tuple[str, ...] = ()
    takes_session: bool = False
    takes_token: bool = False

    @property
    def path(self) -> str:
        return f"{PREFIX}/{self.name}"

    @property
    def example(self) -> dict[str, Any]:
        """A request that works."""
        return self.example_of(self.ways[0])

    def example_of(self, way: tuple[str, ...]) -> dict[str, Any]:
        """A request with the fields of one way alone."""
        examples = {field.name: field.example for field in self.fields}
        return {name: examples[name] for name in way}

    def read(self) -> dict[str, Any]:
        """The fields of this request, empty ones left out. Raises Problem, ForeignSender and ProtocolError."""
        csrf.check_sender(f"api {self.name}")
        sent = strict_json.read_request(request)
        known = {field.name: field for field in self.fields}
        if not sent.keys() <= known.keys():
            # What was sent is not repeated; what could have been sent is in the document.
            raise Problem(
                "invalid-fields", errors={"": [translate("There is a field that this address does not know.")]}
            )
        if errors := {name: [error] for name, value in sent.items() if (error := _problem_of(known[name], value))}:
            raise Problem("invalid-fields", errors=errors)
        found = {name: value for name, value in sent.items() if value not in ("", [])}
        self._require_one_way(found)
        return found

    def _require_one_way(self, found: dict[str, Any]) -> None:
        lacking = [[name for name in way if name not in found] for way in self.ways]
        if all(lacking):
            # The way that somebody began, else the first one.
            nearest = min(zip(lacking, self.ways, strict=True), key=lambda one: len(one[0]) == len(one[1]))[0]
            errors: FieldErrors = {name: [translate("This is missing.")] for name in nearest}
            raise Problem("invalid-fields", errors=errors)


def _problem_of(field: Field, value: object) -> str | None:
    if field.is_truth:
        return None if isinstance(value, bool) else translate("This is either true or false.")
    if field.is_list:
        if not isinstance(value, list) or len(value) > MOST_IN_A_LIST:
            return translate("This is a list of at most %(count)s texts.", count=MOST_IN_A_LIST)
        one = replace(field, is_list=False)
        return next((problem for each in value if (problem := _problem_of(one, each))), None)
    if not isinstance(value, str):
        return translate("This is a text.")
    if len(value) > field.most:
        return translate("This has at most %(count)s characters.", count=field.most)
    return translate("This holds a character that cannot be stored.") if "\0" in value else None
