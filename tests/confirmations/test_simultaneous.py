"""Of simultaneous uses one wins, and parallel guesses are no more than five; on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server.confirmations import Refused, begin, match_code, redeem
from oidc_server.database import db, transact

PURPOSE = "reset_password"


def at_once(app: Flask, work: Callable[[int], object], count: int = 8) -> Counter[str]:
    """What each of so many threads got: "ok" or the reason of its refusal."""
    together, outcomes = threading.Barrier(count), list[str]()

    def run(number: int) -> None:
        with app.app_context():
            together.wait()
            try:
                work(number)
                outcomes.append("ok")
            except Refused as refused:
                outcomes.append(refused.reason)
            except Exception as error:
                outcomes.append(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return Counter(outcomes)


@pytest.mark.row("RC-02", "RC-09")
def test_a_link_used_eight_times_at_once_works_once(migrated: Flask) -> None:
    with migrated.app_context():
        made = begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=600)
    assert at_once(migrated, lambda _: redeem(PURPOSE, made.link_secret)) == {"ok": 1, "used": 7}


@pytest.mark.row("RC-02")
def test_link_and_code_used_at_once_work_once(migrated: Flask) -> None:
    with migrated.app_context():
        made = begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=600)
        proof = match_code(PURPOSE, made.handle, made.code)
    used = at_once(migrated, lambda number: transact(lambda: redeem(PURPOSE, (proof, made.link_secret)[number % 2])))
    assert used == {"ok": 1, "used": 7}


@pytest.mark.row("RC-02")
def test_parallel_guesses_are_no_more_than_five(migrated: Flask) -> None:
    with migrated.app_context():
        made = begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=600)
    guesses = [f"{(int(made.code) + number) % 10**8:08}" for number in range(1, 13)]
    outcomes = at_once(migrated, lambda number: match_code(PURPOSE, made.handle, guesses[number]), len(guesses))
    assert outcomes == {"unknown": 4, "too many": 8}
    with migrated.app_context(), pytest.raises(Refused, match="too many"):
        match_code(PURPOSE, made.handle, made.code)


def test_of_confirmations_begun_at_once_one_is_alive(migrated: Flask) -> None:
    made = []

    def work(_: int) -> None:
        made.append(begin(PURPOSE, account_id="a1", email="alice@example.test", data={}, lifetime=600))

    assert at_once(migrated, work) == {"ok": 8}
    with migrated.app_context():
        outcomes = Counter()
        for each in made:
            try:
                redeem(PURPOSE, each.link_secret)
                outcomes["ok"] += 1
            except Refused as refused:
                outcomes[refused.reason] += 1
    assert outcomes == {"ok": 1, "expired": 7}
