"""Signing in and out as a program does it: the session is the sign-in page's, and so are the counters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts

from .. import flows, mailbox
from ..factors.conftest import give_phone, give_recovery_codes
from .conftest import Program, fields_of, kind_of

ALICE, PASSWORD = "alice@example.test", "correct horse battery staple"


def sign_in(program: Program, **more: str) -> None:
    response = program.post("login", login="alice", password=PASSWORD, **more)
    assert response.status_code == 200, response.text


def is_signed_in(program: Program) -> bool:
    return program.get("/account").status_code == 200


@pytest.mark.parametrize("login", ["alice", ALICE, "ALICE", " alice "])
def test_signing_in_says_who_and_how(program: Program, login: str) -> None:
    response = program.post("login", login=login, password=PASSWORD)

    assert response.status_code == 200
    body = response.get_json()
    assert body["account"]["preferred_username"] == "alice"
    assert (body["acr"], body["amr"]) == ("1", ["pwd"])
    assert is_signed_in(program)


@pytest.mark.row("SE-02")
def test_the_cookie_is_that_of_the_sign_in_page(program: Program) -> None:
    response = program.post("login", login="alice", password=PASSWORD)
    browser = flows.Browser(program.app)
    page = browser.submit(browser.get("/login"), follow=False, username="alice", password=PASSWORD)

    def shape(cookies: list[str]) -> list[str]:
        return sorted(
            name + attributes
            for name, _, rest in (cookie.partition("=") for cookie in cookies)
            for attributes in [rest.partition(";")[2]]
            if name == "__Host-oidc_session"
        )

    assert shape(response.headers.getlist("Set-Cookie")) == shape(page.headers.getlist("Set-Cookie"))
    assert "HttpOnly" in shape(response.headers.getlist("Set-Cookie"))[0]


@pytest.mark.row("SE-01")
def test_a_session_never_keeps_its_value_over_a_sign_in(program: Program) -> None:
    values = set()
    for _ in range(2):
        sign_in(program)
        cookie = program.client.get_cookie("__Host-oidc_session", domain="id.example.test")
        assert cookie is not None
        values.add(cookie.value)
    assert len(values) == 2


def test_an_app_is_answered_from_that_session(program: Program) -> None:
    sign_in(program)
    browser = flows.Browser(program.app)
    browser.client = program.client
    assert browser.obtain_code()


@pytest.mark.row("EN-01", "EN-02")
def test_unknown_disabled_and_wrong_look_the_same(program: Program) -> None:
    with program.app.app_context():
        bob = accounts.find_by_login("bob")
        assert bob is not None
        accounts.disable(bob.id)
    tries = [("alice", "wrong horse"), ("nobody", PASSWORD), ("bob", PASSWORD), ("nobody@example.test", "x")]
    answers = [Program(program.app).post("login", login=login, password=password) for login, password in tries]

    assert {(one.status_code, one.data, tuple(one.headers.keys())) for one in answers} == {
        (401, answers[0].data, tuple(answers[0].headers.keys()))
    }
    assert kind_of(answers[0]) == "wrong-credentials"
    assert "errors" not in answers[0].get_json(force=True)


@pytest.mark.row("BF-01", "EN-02")
@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_guessing_here_counts_at_the_page_and_waits(app: Flask, login: str) -> None:
    program, statuses = Program(app, has_jar=False), []
    for _ in range(30):
        statuses.append(program.post("login", login=login, password="wrong").status_code)
        if statuses[-1] == 429:
            break
    assert set(statuses) == {401, 429}
    response = program.post("login", login=login, password=PASSWORD)
    assert response.status_code == 429 and int(response.headers["Retry-After"]) > 0
    browser = flows.Browser(app)
    page = browser.submit(browser.get("/login"), username=login, password=PASSWORD)
    assert page.status_code == 429


def test_the_rate_limit_of_sign_in_is_one_with_the_pages(make_app: Callable[..., Flask]) -> None:
    program = Program(make_app(ratelimit_enabled=True, ratelimit_sign_in="2/minute"), has_jar=False)
    answers = [program.post("login", login="alice", password="wrong") for _ in range(3)]
    assert [one.status_code for one in answers] == [401, 401, 429]


@pytest.mark.row("SE-10", "SE-09")
def test_who_has_an_authenticator_app_is_told_to_send_its_code(program: Program) -> None:
    phone = give_phone(program.app)

    response = program.post("login", login="alice", password=PASSWORD)

    assert response.status_code == 401 and kind_of(response) == "second-factor-required"
    body = response.get_json(force=True)
    assert (body["field"], body["factors"]) == ("code", ["totp"])
    assert not is_signed_in(program)
    signed_in = program.post("login", login="alice", password=PASSWORD, code=phone.code())
    assert signed_in.status_code == 200
    assert (signed_in.get_json()["acr"], signed_in.get_json()["amr"]) == ("2", ["pwd", "otp", "mfa"])


@pytest.mark.row("SE-09")
def test_the_code_alone_tells_nothing_about_the_password(program: Program) -> None:
    phone = give_phone(program.app)
    code = phone.code()
    assert kind_of(program.post("login", login="alice", password="wrong", code=code)) == "wrong-credentials"
    assert program.post("login", login="alice", password=PASSWORD, code=code).status_code == 200


@pytest.mark.row("SE-11")
def test_a_code_works_once_and_wrong_ones_are_counted(program: Program) -> None:
    code = give_phone(program.app).code()
    sign_in(program, code=code)
    again = Program(program.app)

    answers = [again.post("login", login="alice", password=PASSWORD, code=code) for _ in range(25)]

    assert kind_of(answers[0]) == "wrong-code"
    assert {one.status_code for one in answers} == {401, 429}
    assert not is_signed_in(again)


def test_a_recovery_code_goes_into_the_same_field_and_works_once(program: Program) -> None:
    give_phone(program.app)
    code = give_recovery_codes(program.app)[0]
    told = program.post("login", login="alice", password=PASSWORD).get_json(force=True)
    assert told["factors"] == ["recovery_code", "totp"]

    sign_in(program, code=code)

    again = Program(program.app).post("login", login="alice", password=PASSWORD, code=code)
    assert kind_of(again) == "wrong-code"


def test_who_has_to_set_a_factor_up_is_sent_to_the_page(make_app: Callable[..., Flask]) -> None:
    program = Program(make_app(second_factor="required"))

    response = program.post("login", login="alice", password=PASSWORD, code="123456")

    assert response.status_code == 403 and kind_of(response) == "sign-in-page-needed"
    assert response.get_json(force=True)["url"] == "https://id.example.test/login"
    assert not is_signed_in(program)


@pytest.mark.row("SE-13")
def test_an_address_that_must_be_confirmed_first_is_confirmed_with_the_handle(make_app: Callable[..., Flask]) -> None:
    program = Program(make_app(require_verified_email=True))

    response = program.post("login", login="bob", password=PASSWORD)

    assert response.status_code == 403 and kind_of(response) == "email-not-verified"
    assert not is_signed_in(program)
    code = mailbox.newest(program.app, "bob@example.test").code
    assert program.post("verify", request=response.get_json(force=True)["request"], code=code).status_code == 200
    assert program.post("login", login="bob", password=PASSWORD).status_code == 200


@pytest.mark.row("SE-04")
def test_signing_out_ends_the_session_on_the_server(program: Program) -> None:
    sign_in(program)
    cookie = program.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert cookie is not None

    assert program.post("logout").status_code == 204

    program.client.set_cookie("__Host-oidc_session", cookie.value, domain="id.example.test", secure=True)
    assert not is_signed_in(program)


def test_signing_out_when_nobody_is_signed_in_is_no_error(program: Program) -> None:
    assert program.post("logout").status_code == 204


def test_signing_out_ends_what_apps_hold_with_the_session(program: Program) -> None:
    sign_in(program)
    browser = flows.Browser(program.app)
    browser.client = program.client
    tokens = browser.obtain_tokens()

    program.post("logout")

    assert flows.refresh(program.app, tokens["refresh_token"]).status_code == 400


def test_a_field_too_many_signs_nobody_in(program: Program) -> None:
    response = program.post("login", login="alice", password=PASSWORD, remember=True)
    assert response.status_code == 422 and fields_of(response) == [""]
    assert not is_signed_in(program)
