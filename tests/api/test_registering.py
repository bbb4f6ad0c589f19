"""Signing up and confirming an address, as a program does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import registrations
from oidc_server.accounts import Account
from oidc_server.accounts import store as accounts

from .. import flows, mailbox
from ..timing import Door, require_no_difference
from .conftest import Program, fields_of, kind_of

CAROL, ALICE = "carol@example.test", "alice@example.test"
GOOD = "a quiet walk along the river"


def account_of(app: Flask, login: str) -> Account | None:
    with app.app_context():
        return accounts.find_by_login(login)


def test_a_new_account_is_a_201_and_signs_nobody_in(open_program: Program) -> None:
    response = open_program.post("register", email=CAROL, password=GOOD, username="carol", name="Carol")

    assert response.status_code == 201
    body = response.get_json()
    made = account_of(open_program.app, CAROL)
    assert made is not None
    assert body["account"] == {
        "sub": made.id,
        "preferred_username": "carol",
        "email": CAROL,
        "email_verified": False,
        "name": "Carol",
    }
    assert body["verification_required"] is False
    assert "session" not in response.headers.get("Set-Cookie", "")
    assert open_program.post("login", login="carol", password=GOOD).status_code == 200


@pytest.mark.parametrize(
    ("field", "values"), [("email", {"email": "Alice@EXAMPLE.test"}), ("username", {"username": "ALICE"})]
)
def test_a_taken_address_or_name_is_a_409_at_its_field(
    open_program: Program, field: str, values: dict[str, str]
) -> None:
    response = open_program.post("register", **({"email": CAROL, "password": GOOD} | values))

    assert response.status_code == 409 and kind_of(response) == "account-exists"
    assert fields_of(response) == [field]
    assert account_of(open_program.app, CAROL) is None
    assert mailbox.of(open_program.app) == []


def test_the_message_at_the_field_is_in_the_language_of_the_person(open_program: Program) -> None:
    said = [
        open_program.post("register", {"Accept-Language": language}, email=ALICE, password=GOOD).get_json(force=True)
        for language in ("en", "de")
    ]
    messages = [one["errors"][0]["message"] for one in said]
    assert messages[0] == "This address already has an account." != messages[1]


@pytest.mark.row("PW-01")
@pytest.mark.parametrize("password", ["short", "passwordpassword", "carol@example.test", "x" * 15 + "\u0000"])
def test_a_password_that_the_pages_refuse_is_refused(open_program: Program, password: str) -> None:
    response = open_program.post("register", email=CAROL, password=password)
    assert response.status_code == 422 and fields_of(response) == ["password"]
    assert account_of(open_program.app, CAROL) is None


@pytest.mark.row("RC-10")
@pytest.mark.parametrize("field", ["email_verified", "roles", "sub", "phone_number_verified", "keep_session"])
def test_nobody_writes_more_about_themselves_than_the_form_asks(open_program: Program, field: str) -> None:
    response = open_program.post("register", email=CAROL, password=GOOD, **{field: True})
    assert response.status_code == 422
    assert account_of(open_program.app, CAROL) is None


@pytest.mark.parametrize("sign_up", ["off", "invitation"])
def test_where_nobody_may_sign_up_nobody_does(make_app: Callable[..., Flask], sign_up: str) -> None:
    program = Program(make_app(sign_up=sign_up))
    assert kind_of(program.post("register", email=CAROL, password=GOOD)) == "sign-up-closed"
    assert account_of(program.app, CAROL) is None


def invited(app: Flask, **rights: Any) -> str:
    with app.app_context():
        return registrations.invite(CAROL, **rights).link_secret


def test_an_invitation_brings_its_address_and_roles(make_app: Callable[..., Flask]) -> None:
    program = Program(make_app(sign_up="invitation"))
    link = invited(program.app, roles=["editor"])

    response = program.post("register", invitation=link, password=GOOD, email="mallory@example.test")

    assert response.status_code == 201
    assert response.get_json()["account"]["email_verified"] is True
    assert "request" not in response.get_json()
    made = account_of(program.app, CAROL)
    assert made is not None and made.roles == ["editor"]
    assert kind_of(program.post("register", invitation=link, password=GOOD)) == "link-ended"
    assert kind_of(program.post("register", invitation="x" * 43, password=GOOD)) == "link-unknown"


@pytest.mark.row("RC-02")
def test_the_code_confirms_the_address_once(open_program: Program) -> None:
    request = open_program.post("register", email=CAROL, password=GOOD).get_json()["request"]
    code = mailbox.newest(open_program.app, CAROL).code

    response = open_program.post("verify", request=request, code=f"{code[:4]} {code[4:]}")

    assert response.status_code == 200
    assert response.get_json()["account"]["email_verified"] is True
    assert "session" not in response.headers.get("Set-Cookie", "")
    again = open_program.post("verify", request=request, code=code)
    assert again.status_code == 410 and kind_of(again) == "link-ended"


@pytest.mark.row("RC-08", "BF-09")
def test_five_wrong_codes_end_the_code_and_not_the_link(open_program: Program) -> None:
    request = open_program.post("register", email=CAROL, password=GOOD).get_json()["request"]
    mail = mailbox.newest(open_program.app, CAROL)

    answers = [open_program.post("verify", request=request, code="00000000") for _ in range(5)]

    assert [one.status_code for one in answers] == [422] * 4 + [400]
    assert fields_of(answers[0]) == ["code"]
    assert kind_of(open_program.post("verify", request=request, code=mail.code)) == "too-many-codes"
    assert open_program.post("verify", link=link_of(mail)).status_code == 200


@pytest.mark.row("SE-13")
def test_in_another_program_the_link_needs_the_password_of_the_sign_up(hidden_program: Program) -> None:
    hidden_program.post("register", email=CAROL, password=GOOD)
    link = link_of(mailbox.newest(hidden_program.app, CAROL))
    other = Program(hidden_program.app, has_jar=False)

    assert kind_of(other.post("verify", link=link)) == "password-required"
    assert kind_of(other.post("verify", link=link, password="not what was chosen")) == "wrong-credentials"
    assert account_of(hidden_program.app, CAROL) is None
    assert other.post("verify", link=link, password=GOOD).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"request": "0" * 64}, {"code": "12345678"}])
def test_a_proof_that_is_not_whole_is_named(program: Program, fields: dict[str, str]) -> None:
    response = program.post("verify", **fields)
    assert response.status_code == 422
    assert set(fields_of(response)) == {"request", "code"} - fields.keys()


@pytest.mark.row("EN-04", "EN-01")
def test_where_accounts_are_hidden_everything_about_the_answers_is_the_same(hidden_program: Program) -> None:
    app = hidden_program.app
    answers = [
        Program(app).post("register", **{"email": email, "password": GOOD, **more})
        for email, more in ((CAROL, {}), (ALICE, {}), ("dave@example.test", {"username": "alice"}))
    ]

    visible = {(one.status_code, len(one.data), tuple(one.headers.keys()), tuple(one.get_json())) for one in answers}
    assert visible == {(202, len(answers[0].data), tuple(answers[0].headers.keys()), ("request",))}
    assert [mailbox.newest(app, email).kind for email in (CAROL, ALICE)] == ["verify_email", "account_exists"]
    tries = [
        [Program(app).post("verify", request=one.get_json()["request"], code="00000000").status_code for _ in range(6)]
        for one in answers
    ]
    assert tries == [[422] * 4 + [400] * 2] * 3
    logins = [Program(app).post("login", login=email, password=GOOD) for email in (CAROL, ALICE)]
    assert logins[0].status_code == 401 and logins[0].data == logins[1].data


@pytest.mark.row("EN-04")
def test_a_hidden_account_begins_with_its_code(hidden_program: Program) -> None:
    request = hidden_program.post("register", email=CAROL, password=GOOD, name="Carol").get_json()["request"]
    assert account_of(hidden_program.app, CAROL) is None

    response = hidden_program.post("verify", request=request, code=mailbox.newest(hidden_program.app, CAROL).code)

    assert response.status_code == 200
    assert response.get_json()["account"]["name"] == "Carol"
    assert hidden_program.post("login", login=CAROL, password=GOOD).status_code == 200


@pytest.mark.row("BF-02")
def test_the_pages_and_the_api_share_the_count_of_sign_ups(make_app: Callable[..., Flask]) -> None:
    app = make_app(sign_up="open", ratelimit_enabled=True, ratelimit_sign_up="2/minute")
    browser = flows.Browser(app)
    browser.submit(browser.get("/signup"), email="one@example.test", password=GOOD)
    program = Program(app)

    answers = [program.post("register", email=f"n{number}@example.test", password=GOOD) for number in range(2)]

    assert [one.status_code for one in answers] == [201, 429]
    assert int(answers[1].headers["Retry-After"]) > 0


@pytest.mark.thorough
@pytest.mark.row("EN-04")
def test_f_22_registering_takes_as_long_for_a_free_address_as_for_a_taken_one(hidden_program: Program) -> None:
    """The figure F-22 for the door of sign-up in the API."""
    with hidden_program.app.app_context():
        for number in range(200):
            accounts.create(f"known{number}", email=f"known{number}@example.test")

    def door(name: str, among: int) -> Door:
        url, base_url = "/api/v1/accounts/register", flows.base_url(hidden_program.app)

        def post(number: int) -> TestResponse:
            fields = {"email": name.format(number % among), "password": GOOD}
            return hidden_program.client.post(url, json=fields, base_url=base_url)

        return post

    known, free = door("known{}@example.test", 200), door("empty{}@example.test", 10**6)
    require_no_difference("sign-up in the API", known, free)


def link_of(mail: mailbox.Mail) -> str:
    return mail.path.rpartition("=")[2]
