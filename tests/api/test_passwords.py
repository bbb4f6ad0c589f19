"""The way back for who forgot the password, and a new one for who knows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts

from .. import flows, mailbox
from ..factors.conftest import give_phone
from ..timing import Door, require_no_difference
from .conftest import Program, fields_of, kind_of

ALICE, PASSWORD = "alice@example.test", "correct horse battery staple"
NEW = "a quiet walk along the river"


def signs_in(app: Flask, password: str) -> bool:
    return Program(app).post("login", login="alice", password=password).status_code == 200


def asked(program: Program) -> tuple[str, mailbox.Mail]:
    """The handle of a request for a new password, and its mail."""
    handle = program.post("recover", login="alice").get_json()["request"]
    return handle, mailbox.newest(program.app, ALICE)


def link_of(mail: mailbox.Mail) -> str:
    return mail.path.rpartition("=")[2]


@pytest.mark.row("EN-03", "EN-01")
def test_asking_is_answered_the_same_for_every_name(program: Program) -> None:
    with program.app.app_context():
        bob = accounts.find_by_login("bob")
        assert bob is not None
        accounts.disable(bob.id)
    names = ("alice", ALICE, "nobody", "nobody@example.test", "bob", "' OR 1=1", "a\u202e@example.test")
    answers = [Program(program.app).post("recover", login=login) for login in names]

    assert {(one.status_code, len(one.data), tuple(one.headers.keys())) for one in answers} == {
        (202, len(answers[0].data), tuple(answers[0].headers.keys()))
    }
    assert [mail.to for mail in mailbox.of(program.app)] == [ALICE, ALICE, "nobody@example.test"]


@pytest.mark.row("EN-03")
@pytest.mark.parametrize("login", ["alice", "nobody", "nobody@example.test"])
def test_wrong_codes_are_answered_the_same_for_every_name(program: Program, login: str) -> None:
    request = program.post("recover", login=login).get_json()["request"]
    answers = [program.post("reset", request=request, code="00000000", password=NEW) for _ in range(6)]
    assert [one.status_code for one in answers] == [422] * 4 + [400] * 2


@pytest.mark.row("RC-02", "RC-05")
@pytest.mark.parametrize("way", ["code", "link"])
def test_the_mail_sets_a_password_once_and_signs_nobody_in(program: Program, way: str) -> None:
    handle, mail = asked(program)
    proof = {"link": link_of(mail)} if way == "link" else {"request": handle, "code": mail.code}

    response = program.post("reset", password=NEW, **proof)

    assert response.status_code == 204
    assert "session" not in response.headers.get("Set-Cookie", "")
    assert signs_in(program.app, NEW) and not signs_in(program.app, PASSWORD)
    assert mailbox.newest(program.app, ALICE, "password_changed")
    assert kind_of(program.post("reset", password=PASSWORD, **proof)) == "link-ended"


@pytest.mark.row("RC-06")
@pytest.mark.parametrize("keep", [False, True])
def test_a_reset_ends_sessions_but_the_one_that_is_to_go_on(program: Program, keep: bool) -> None:
    other = Program(program.app)
    for one in (program, other):
        one.post("login", login="alice", password=PASSWORD)
    _, mail = asked(program)

    assert program.post("reset", link=link_of(mail), password=NEW, keep_session=keep).status_code == 204

    assert (program.get("/account").status_code == 200) is keep
    assert other.get("/account").status_code == 303


@pytest.mark.row("RC-06")
def test_somebody_else_who_is_signed_in_keeps_nothing_of_the_person(program: Program) -> None:
    alice = Program(program.app)
    alice.post("login", login="alice", password=PASSWORD)
    program.post("login", login="bob", password=PASSWORD)
    _, mail = asked(program)

    program.post("reset", link=link_of(mail), password=NEW, keep_session=True)

    assert alice.get("/account").status_code == 303


@pytest.mark.row("RC-14", "SE-09")
def test_a_reset_goes_around_no_second_factor(program: Program) -> None:
    give_phone(program.app)
    _, mail = asked(program)
    program.post("reset", link=link_of(mail), password=NEW)
    assert kind_of(program.post("login", login="alice", password=NEW)) == "second-factor-required"


def test_a_password_that_is_refused_leaves_the_mail_good(program: Program) -> None:
    handle, mail = asked(program)
    refused = program.post("reset", request=handle, code=mail.code, password="short")
    assert refused.status_code == 422 and fields_of(refused) == ["password"]
    assert program.post("reset", request=handle, code=mail.code, password=NEW).status_code == 204


def test_a_link_of_nowhere_is_unknown(program: Program) -> None:
    response = program.post("reset", link="x" * 43, password=NEW)
    assert response.status_code == 400 and kind_of(response) == "link-unknown"


@pytest.mark.row("RC-03")
def test_an_old_link_ends_with_its_time(program: Program, clock: flows.Clock) -> None:
    _, mail = asked(program)
    clock.advance(1801)
    response = program.post("reset", link=link_of(mail), password=NEW)
    assert response.status_code == 410
    assert signs_in(program.app, PASSWORD)


@pytest.mark.row("BF-02", "RC-07")
def test_the_pages_and_the_api_share_the_count_of_asking(make_app: Callable[..., Flask]) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_recover="2/minute")
    browser = flows.Browser(app)
    browser.submit(browser.get("/recover"), login="one")
    answers = [Program(app).post("recover", login=f"name{number}") for number in range(2)]
    assert [one.status_code for one in answers] == [202, 429]


@pytest.mark.row("PW-11")
def test_a_new_password_needs_a_session_and_the_present_one(program: Program) -> None:
    fields = {"current_password": PASSWORD, "password": NEW}
    assert kind_of(program.post("password", **fields)) == "sign-in-required"
    program.post("login", login="alice", password=PASSWORD)
    assert kind_of(program.post("password", **(fields | {"current_password": "wrong"}))) == "wrong-password"
    assert fields_of(program.post("password", **(fields | {"password": "short"}))) == ["password"]
    assert signs_in(program.app, PASSWORD)

    assert program.post("password", **fields).status_code == 204

    assert program.get("/account").status_code == 200
    assert signs_in(program.app, NEW) and not signs_in(program.app, PASSWORD)
    assert mailbox.newest(program.app, ALICE, "password_changed")


@pytest.mark.row("SE-12")
def test_a_session_of_this_morning_sets_no_password(program: Program, clock: flows.Clock) -> None:
    program.post("login", login="alice", password=PASSWORD)
    clock.advance(16 * 60)
    response = program.post("password", current_password=PASSWORD, password=NEW)
    assert response.status_code == 403 and kind_of(response) == "sign-in-too-old"


@pytest.mark.parametrize("keep", [False, True])
def test_other_sessions_end_unless_they_are_to_go_on(program: Program, keep: bool) -> None:
    other = Program(program.app)
    for one in (program, other):
        one.post("login", login="alice", password=PASSWORD)

    program.post("password", current_password=PASSWORD, password=NEW, keep_others=keep)

    assert (other.get("/account").status_code == 200) is keep


@pytest.mark.row("PW-11", "BF-01")
def test_guessing_the_present_password_inside_is_counted_too(program: Program) -> None:
    program.post("login", login="alice", password=PASSWORD)
    for _ in range(120):
        response = program.post("password", current_password="wrong", password=NEW)
        if response.status_code == 429:
            break
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.thorough
@pytest.mark.row("EN-03")
def test_f_22_asking_takes_as_long_for_unknown_people_as_for_known_ones(program: Program) -> None:
    """The figure F-22 for the door of recovery in the API."""
    with program.app.app_context():
        for number in range(200):
            accounts.create(f"known{number}", email=f"known{number}@example.test")

    def door(name: str) -> Door:
        url, base_url = "/api/v1/accounts/recover", flows.base_url(program.app)
        return lambda number: program.client.post(url, json={"login": name.format(number % 200)}, base_url=base_url)

    require_no_difference("recovery in the API", door("known{}"), door("nobody{}"))
