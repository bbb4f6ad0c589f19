"""Statements that go to the driver: the same values, errors and transactions as through SQLAlchemy."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from oidc_server.database import db, execute, transact
from oidc_server.statements import Statement, from_json, to_json

from .counters import value

_COUNTERS = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.Integer))
_INSERT = Statement(sa.insert(_COUNTERS))
_ADD = Statement(
    sa.update(_COUNTERS)
    .where(_COUNTERS.c.name == sa.bindparam("one"))
    .values(value=_COUNTERS.c.value + 2)
    .returning(_COUNTERS.c.value)
)
_WRONG = Statement(sa.select(sa.column("nothing")).select_from(sa.table("nowhere")))
_TYPES = Statement(
    sa.select(
        sa.bindparam("truth", type_=sa.Boolean()),
        sa.bindparam("number", type_=sa.Double()),
        sa.bindparam("object", type_=sa.JSON()),
        sa.bindparam("nothing", type_=sa.JSON()),
    )
)


def test_a_constant_of_the_statement_is_sent_with_it(counted: Flask) -> None:
    assert transact(lambda: execute(_ADD, one="one")) == (2,)
    assert value() == 2


def test_a_statement_that_finds_nothing_answers_none(counted: Flask) -> None:
    assert transact(lambda: execute(_ADD, one="none")) is None


def test_values_come_back_with_their_types(counted: Flask) -> None:
    sent: dict[str, Any] = {"truth": True, "number": 0.1, "object": {"a": [1, "é"]}, "nothing": None}
    found = execute(_TYPES, **sent)
    assert found == (True, 0.1, {"a": [1, "é"]}, None)
    assert found[0] is True


def test_what_was_begun_is_undone_with_the_transaction(counted: Flask) -> None:
    def work() -> None:
        execute(_ADD, one="one")
        raise LookupError

    with pytest.raises(LookupError):
        transact(work)
    assert value() == 0


def test_errors_are_those_of_sqlalchemy_without_the_values(counted: Flask) -> None:
    with pytest.raises(sa.exc.IntegrityError) as refused:
        transact(lambda: execute(_INSERT, name="one", value=5))
    assert "5" not in str(refused.value).partition("SQL:")[2].partition("(Background")[0]
    with pytest.raises(sa.exc.DBAPIError):
        execute(_WRONG)
    db.session.rollback()
    assert transact(lambda: execute(_ADD, one="one")) == (2,), "the next one starts afresh"


def test_a_parameter_that_is_missing_is_an_error(counted: Flask) -> None:
    with pytest.raises(KeyError):
        transact(lambda: execute(_ADD))


def test_who_listens_hears_of_them(counted: Flask) -> None:
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        assert transact(lambda: execute(_ADD, one="one")) == (2,)
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)
    assert any(one.startswith("UPDATE counters") for one in heard)


@pytest.mark.parametrize("odd", ["\ud800", 2**70, {"a": ["é", None, 1.5]}])
def test_whatever_a_client_sends_is_kept_as_json(odd: Any) -> None:
    assert from_json(to_json([odd])) == [odd if odd != 2**70 else pytest.approx(2**70)]
