"""Of simultaneous uses one wins, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from oidc_server import create_app, factors
from oidc_server.accounts import TooManyAttempts
from oidc_server.accounts import store as accounts
from oidc_server.database import db, transact
from oidc_server.factors import new_app, recovery_codes, totp

from .. import live
from ..conftest import PASSWORD, settings_for
from .conftest import account_id

THREADS = 6


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    app = create_app(**settings_for(tmp_path, database_url=database_url, signing_algorithms=("ES256",)))
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    with app.app_context():
        accounts.create("alice", PASSWORD)
    yield app
    live.close(app)


def at_once(app: Flask, work: Callable[[], object]) -> Counter[object]:
    """What each of the threads got."""
    together, outcomes = threading.Barrier(THREADS), list[object]()

    def run() -> None:
        with app.app_context():
            together.wait()
            try:
                outcomes.append(work())
            except Exception as error:
                outcomes.append(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return Counter(outcomes)


@pytest.mark.row("SE-11", "FT-01")
def test_one_code_used_by_many_at_once_works_once(server: Flask) -> None:
    with server.app_context():
        owner, secret = account_id(), totp.make_secret()
        step = totp.step_now()
        assert transact(lambda: totp.add(owner, secret, totp.code_at(secret, step - 1), ""))
    code = totp.code_at(secret, step)
    assert at_once(server, lambda: transact(lambda: totp.use(owner, code))) == {True: 1, False: THREADS - 1}


@pytest.mark.row("SE-11", "FT-01")
def test_one_recovery_code_used_by_many_at_once_works_once(server: Flask) -> None:
    with server.app_context():
        owner = account_id()
        code = transact(lambda: recovery_codes.make(owner))[0]
    assert at_once(server, lambda: transact(lambda: recovery_codes.use(owner, code))) == {True: 1, False: THREADS - 1}


@pytest.mark.row("FT-01")
def test_one_new_app_confirmed_by_many_at_once_is_added_once(server: Flask) -> None:
    with server.app_context():
        owner = account_id()
        identifier = new_app.begin(owner)
        secret = new_app.find(identifier, owner)
        assert secret is not None
    code = totp.code_at(secret, totp.step_now())

    def confirm() -> bool:
        return transact(lambda: totp.add(owner, secret, code, "") is not None and new_app.finish(identifier))

    assert at_once(server, confirm) == {True: 1, False: THREADS - 1}


@pytest.mark.row("BF-08", "SE-11")
def test_parallel_guesses_are_no_more_than_five(server: Flask) -> None:
    def guess() -> str:
        account = accounts.find_by_login("alice")
        assert account is not None
        try:
            factors.prove(account, "000000", network="203.0.113.9", device=None)
        except factors.WrongCode:
            return "wrong"
        except TooManyAttempts:
            return "wait"
        return "ok"

    with server.app_context():
        owner, secret = account_id(), totp.make_secret()
        assert transact(lambda: totp.add(owner, secret, totp.code_at(secret, totp.step_now()), ""))
    assert at_once(server, guess) == {"wrong": 5, "wait": THREADS - 5}
