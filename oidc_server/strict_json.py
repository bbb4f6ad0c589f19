"""JSON from strangers: one object, every name once, bounded in depth and digits, no NaN, no half characters.

RFC 8259, RFC 7519 §4. json.loads alone keeps the last of two equal names, reads NaN, recurses as deep as it is told.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from flask import Request

from . import strict_form
from .errors import ProtocolError

MAX_DEPTH = 16
MAX_DIGITS = 20

# The closing quote is optional so that an endless string is consumed once, not tried again from each of its quotes.
_STRING = re.compile(r'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)
_JSON_TYPE = re.compile(
    r'application/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?;?', re.IGNORECASE | re.ASCII
)
_BRACKET = re.compile(r"[{}\[\]]")


def loads(raw: bytes | str) -> Any:
    """The JSON value in `raw`, whose length the caller has bounded. Raises ValueError, whose text is a constant."""
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        _check_depth(text)
        value = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
        if "\\u" in text or isinstance(raw, str):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate is no text
    except (ValueError, RecursionError):
        raise ValueError("not strict JSON") from None
    return value


def read_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in `raw`. Raises ValueError, whose text is a constant."""
    value = loads(raw)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def read_request(request: Request) -> dict[str, Any]:
    """The JSON object that a request sends, in the body alone. Raises ProtocolError invalid_request: 400, 411, 413, 415."""
    strict_form.require_no_query(request)
    raw = strict_form.read_bytes(
        request,
        _JSON_TYPE,
        lambda: ProtocolError("invalid_request", "The request body must be application/json in UTF-8.", status=415),
    )
    try:
        return read_object(raw)
    except ValueError as error:
        raise ProtocolError("invalid_request", "The request body must be one JSON object.") from error


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        if depth > MAX_DEPTH:
            raise ValueError("too deep")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("integer too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _constant(text: str) -> Any:
    raise ValueError("not JSON")
