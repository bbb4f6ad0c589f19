"""Guessing codes is slowed down, forgiven by nothing but a right code, and never locks the owner out for good."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server import accounts, factors
from oidc_server.accounts import store
from oidc_server.accounts.throttle.store import known_by

from ..flows import Browser, Clock
from .conftest import PASSWORD, Phone, account_id, give_password, give_phone, give_recovery_codes, is_signed_in, submit

WRONG = "000000"
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"

Guess = Callable[..., str]


@pytest.fixture
def guess(context: None) -> Guess:
    """Try a code for Alice, and answer what came of it: 'ok', 'wrong' or 'wait N'."""

    def try_it(code: str = WRONG, network: str = ELSEWHERE, device: str | None = None, username: str = "alice") -> str:
        account = store.find_by_login(username)
        assert account is not None
        try:
            factors.prove(account, code, network=network, device=device)
        except factors.WrongCode:
            return "wrong"
        except accounts.TooManyAttempts as error:
            return f"wait {error.retry_after}"
        return "ok"

    return try_it


def sign_in(code: str, network: str, device: str | None) -> None:
    """The whole of a sign-in, as the login page does it."""
    account = accounts.authenticate("alice", PASSWORD, network=network, device=device, is_whole=False)
    factors.prove(account, code, network=network, device=device)
    accounts.record_sign_in(account, network=network, device=device)


def close_the_door(guess: Guess) -> None:
    """A hundred wrong codes from as many networks."""
    for number in range(100):
        assert guess(network=f"10.1.{number}.0") == "wrong"


@pytest.mark.row("SE-11", "BF-01", "BF-09")
def test_after_five_wrong_codes_each_waits_longer(phone: Phone, guess: Guess, clock: Clock) -> None:
    assert [guess() for _ in range(6)] == ["wrong"] * 5 + ["wait 2"]
    clock.advance(2)
    assert [guess(), guess()] == ["wrong", "wait 4"]


@pytest.mark.row("SE-11", "BF-09")
def test_a_right_code_is_not_looked_at_while_it_must_wait(phone: Phone, guess: Guess) -> None:
    for _ in range(5):
        guess()
    assert guess(phone.code()) == "wait 2"


@pytest.mark.row("SE-10", "BF-09")
def test_a_right_password_forgives_no_wrong_code(phone: Phone, guess: Guess) -> None:
    for _ in range(5):
        guess()
    accounts.authenticate("alice", PASSWORD, network=ELSEWHERE, device=None, is_whole=False)
    assert guess() == "wait 2"


def test_a_right_code_forgives_the_wrong_ones(phone: Phone, guess: Guess) -> None:
    assert [guess() for _ in range(4)] == ["wrong"] * 4
    assert guess(phone.code()) == "ok"
    assert [guess() for _ in range(5)] == ["wrong"] * 5


@pytest.mark.row("BF-09")
def test_recovery_codes_are_counted_with_the_others(app: Flask, phone: Phone, guess: Guess) -> None:
    codes = give_recovery_codes(app)
    assert [guess("ABCD-EFGH-JKLM") for _ in range(5)] == ["wrong"] * 5
    assert guess(codes[0]) == "wait 2"


@pytest.mark.row("SE-10", "BF-03")
def test_half_a_proof_makes_no_browser_or_network_known(context: None, phone: Phone) -> None:
    accounts.authenticate("alice", PASSWORD, network=ELSEWHERE, device="strange", is_whole=False)
    import hashlib

    device = hashlib.sha256(b"device strange").hexdigest()
    assert known_by(account_id(), device, ELSEWHERE) == (False, False)
    sign_in(phone.code(), ELSEWHERE, "strange")
    assert known_by(account_id(), device, ELSEWHERE) == (True, True)


@pytest.mark.row("SE-11", "BF-01")
def test_a_stranger_with_the_password_gets_a_hundred_guesses_and_no_more(
    phone: Phone, guess: Guess, clock: Clock
) -> None:
    close_the_door(guess)
    for number in range(5):
        network = f"10.2.{number}.0"
        accounts.authenticate("alice", PASSWORD, network=network, device=None, is_whole=False)
        assert guess(network=network) == "wait 900"
        clock.advance(901)


@pytest.mark.row("BF-04")
def test_the_owner_gets_in_from_a_known_browser_and_network_while_strangers_guess(phone: Phone, guess: Guess) -> None:
    sign_in(phone.code(), HOME, "alices-browser")
    close_the_door(guess)
    assert guess(network="10.2.0.0") == "wait 900"
    assert guess(phone.code(), network=ELSEWHERE, device="alices-browser") == "ok"


@pytest.mark.row("BF-04")
def test_a_new_password_opens_the_door_that_guessing_closed(phone: Phone, guess: Guess) -> None:
    close_the_door(guess)
    assert guess(network=HOME) == "wait 900"
    store.set_password(account_id(), "another horse battery staple")
    assert guess(phone.code(), network=HOME) == "ok"


@pytest.mark.row("BF-05")
def test_guesses_at_one_account_do_not_slow_another(app: Flask, phone: Phone, guess: Guess) -> None:
    bobs = give_phone(app, "bob")
    for _ in range(6):
        guess()
    assert guess(bobs.code(), username="bob") == "ok"


@pytest.mark.row("BF-09")
def test_the_page_says_to_wait_and_for_how_long(browser: Browser, phone: Phone) -> None:
    page = give_password(browser)
    for _ in range(5):
        page = submit(browser, page, "second-factor-form", code=WRONG)
        assert page.status_code == 401
    page = submit(browser, page, "second-factor-form", code=phone.code())
    assert page.status_code == 429 and page.headers["Retry-After"] == "2"
    assert "was not checked" in page.text and not is_signed_in(browser)


@pytest.mark.row("BF-09")
def test_the_rate_limit_of_sign_in_counts_codes_as_well(make_app: Callable[..., Flask]) -> None:
    app = make_app(ratelimit_enabled=True, ratelimit_sign_in="2/minute")
    give_phone(app)
    browser = Browser(app)
    page = give_password(browser)
    statuses = []
    for _ in range(3):
        page = submit(browser, page, "second-factor-form", code=WRONG)
        statuses.append(page.status_code)
    assert statuses == [401, 401, 429]


@pytest.mark.row("EN-05")
def test_nothing_about_factors_is_told_before_the_password(app: Flask, phone: Phone) -> None:
    bodies = set()
    for username in ("alice", "bob", "nobody"):
        browser = Browser(app)
        page = submit(browser, browser.get("/login"), "login-form", username=username, password="wrong")
        bodies.add((page.status_code, len(page.text.replace(username, "")), page.request.path))
    assert len(bodies) == 1
