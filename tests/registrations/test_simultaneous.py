"""Many at once, on both databases: one account for one name, one use for one link."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import create_app, recoveries, registrations
from oidc_server.accounts import Account
from oidc_server.accounts import store as accounts
from oidc_server.database import db

from .. import live, mailbox
from ..conftest import settings_for

GOOD = "a quiet walk along the river"
AT_ONCE = 6


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    made = create_app(
        **settings_for(tmp_path, database_url=database_url, sign_up="open", signing_algorithms=("ES256",))
    )
    assert made.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    yield made
    live.close(made)


def at_once(app: Flask, work: Callable[[int], Any]) -> list[Any]:
    """What `work` answered, or raised, in each of AT_ONCE threads that start together."""
    gate, answers = threading.Barrier(AT_ONCE), [None] * AT_ONCE

    def run(number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                answers[number] = work(number)
            except Exception as error:
                answers[number] = error  # type: ignore[call-overload]
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def registered(answers: list[Any]) -> list[Any]:
    return [answer for answer in answers if isinstance(answer, registrations.Registered)]


@pytest.mark.row("ID-08")
def test_equivalent_addresses_and_names_at_once_make_one_account(app: Flask) -> None:
    spellings = ["carol@example.test", "CAROL@example.test", "Carol@EXAMPLE.test"] * 2
    answers = at_once(app, lambda n: registrations.register(email=spellings[n], password=GOOD, username="Carol"))

    assert len(registered(answers)) == 1, answers
    assert all(isinstance(answer, registrations.AccountExists | registrations.Registered) for answer in answers)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1


@pytest.mark.row("ID-08")
def test_people_whose_derived_names_meet_all_get_an_account(app: Flask) -> None:
    answers = at_once(app, lambda n: registrations.register(email=f"info@host{n}.test", password=GOOD))

    assert len(registered(answers)) >= 1
    with app.app_context():
        names = set(db.session.scalars(sa.select(Account.username)))
    assert len(names) == len(registered(answers)) == AT_ONCE, answers


@pytest.mark.row("RC-02")
def test_one_of_many_uses_of_a_reset_link_wins(app: Flask) -> None:
    with app.app_context():
        accounts.create("alice", "an old password of hers", email="alice@example.test")
        recoveries.begin("alice")
        db.session.remove()
    secret = mailbox.newest(app, "alice@example.test").path.partition("=")[2]

    answers = at_once(app, lambda n: recoveries.reset(secret, f"the new password number {n}"))

    won = [answer for answer in answers if isinstance(answer, Account)]
    lost = [answer for answer in answers if isinstance(answer, recoveries.LinkRefused)]
    assert (len(won), len(lost)) == (1, AT_ONCE - 1), answers


@pytest.mark.row("RC-02", "RC-09")
def test_one_of_many_uses_of_an_invitation_wins(app: Flask) -> None:
    with app.app_context():
        secret = registrations.invite("carol@example.test", roles=["editor"]).link_secret
        db.session.remove()

    answers = at_once(
        app, lambda n: registrations.register(email="", password=GOOD, username=f"carol{n}", invitation=secret)
    )

    assert len(registered(answers)) == 1, answers
    assert all(
        isinstance(answer, registrations.Registered | registrations.LinkRefused | registrations.AccountExists)
        for answer in answers
    )


@pytest.mark.row("RC-02")
def test_one_of_many_confirmations_of_a_hidden_sign_up_makes_the_account(
    tmp_path: Path, app: Flask, database_url: str
) -> None:
    hiding = create_app(
        **settings_for(
            tmp_path, database_url=database_url, sign_up="open", hide_accounts=True, signing_algorithms=("ES256",)
        )
    )
    with hiding.app_context():
        registrations.register(email="carol@example.test", password=GOOD)
        db.session.remove()
    secret = mailbox.newest(hiding, "carol@example.test").path.partition("=")[2]

    answers = at_once(hiding, lambda _: registrations.verify_email(secret))

    assert len([answer for answer in answers if isinstance(answer, Account)]) == 1, answers
    live.close(hiding)


@pytest.mark.row("RC-07")
def test_many_requests_at_once_write_two_mails(app: Flask) -> None:
    with app.app_context():
        accounts.create("alice", "an old password of hers", email="alice@example.test")
        db.session.remove()

    at_once(app, lambda _: recoveries.begin("alice"))
    at_once(app, lambda _: recoveries.begin("alice"))

    mails = mailbox.of(app, "alice@example.test")
    assert 1 <= len(mails) <= 2
