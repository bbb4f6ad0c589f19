"""The contract of short-lived values, over every backend."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server.database import db, now, transact
from oidc_server.storage import BACKENDS, Storage
from oidc_server.storage.sql import ShortLivedValue
from tests.flows import Clock


@pytest.fixture(params=sorted(BACKENDS))
def storage(request: pytest.FixtureRequest, context: None) -> Storage:
    return BACKENDS[request.param]()


def put(storage: Storage, kind: str = "code", key: str = "k", lifetime: float = 60, **value: object) -> None:
    transact(lambda: storage.put(kind, key, dict(value), now() + lifetime))


def test_what_was_put_is_read_and_stays(storage: Storage) -> None:
    put(storage, a=1)
    assert storage.read("code", "k") == {"a": 1}
    assert storage.read("code", "k") == {"a": 1}


def test_put_replaces(storage: Storage) -> None:
    put(storage, a=1)
    put(storage, a=2)
    assert storage.read("code", "k") == {"a": 2}


def test_take_gives_the_value_once(storage: Storage) -> None:
    put(storage, a=1)
    assert transact(lambda: storage.take("code", "k")) == {"a": 1}
    assert transact(lambda: storage.take("code", "k")) is None
    assert storage.read("code", "k") is None


@pytest.mark.row("AC-06")
def test_one_kind_is_out_of_reach_of_another(storage: Storage) -> None:
    put(storage, kind="code", a=1)
    assert storage.read("authorization_request", "k") is None
    assert transact(lambda: storage.take("authorization_request", "k")) is None


def test_an_expired_value_is_gone(storage: Storage, clock: Clock) -> None:
    put(storage, a=1, lifetime=60)
    clock.advance(59)
    assert storage.read("code", "k") == {"a": 1}
    clock.advance(1.1)
    assert storage.read("code", "k") is None
    assert transact(lambda: storage.take("code", "k")) is None


def test_put_once_tells_the_first_from_the_others(storage: Storage) -> None:
    assert transact(lambda: storage.put_once("jti", "k", {}, now() + 60))
    assert not transact(lambda: storage.put_once("jti", "k", {"other": True}, now() + 60))
    assert storage.read("jti", "k") == {}


def test_put_once_again_after_the_first_expired(storage: Storage, clock: Clock) -> None:
    transact(lambda: storage.put_once("jti", "k", {}, now() + 60))
    clock.advance(61)
    assert transact(lambda: storage.put_once("jti", "k", {}, now() + 60))


def test_purge_deletes_only_what_expired_and_no_more_than_the_batch(storage: Storage, clock: Clock) -> None:
    for number in range(5):
        put(storage, key=f"short {number}", lifetime=10)
    put(storage, key="long", lifetime=1000, a=1)
    clock.advance(11)
    assert transact(lambda: storage.purge(3)) == 3
    assert transact(lambda: storage.purge(3)) == 2
    assert transact(lambda: storage.purge(3)) == 0
    assert storage.read("code", "long") == {"a": 1}


@pytest.mark.row("AC-13", "LS-03")
def test_the_table_holds_no_key_that_could_be_used(app: Flask, context: None) -> None:
    put(BACKENDS["sql"](), key="the-secret-code", a=1)
    (row,) = db.session.query(ShortLivedValue).all()
    assert "the-secret-code" not in repr(vars(row))


def test_what_is_undone_with_its_transaction_never_was(context: None) -> None:
    storage = BACKENDS["sql"]()
    put(storage, a=1)

    def take_and_fail() -> None:
        storage.take("code", "k")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        transact(take_and_fail)
    assert storage.read("code", "k") == {"a": 1}
