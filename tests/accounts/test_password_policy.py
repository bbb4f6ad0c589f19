"""Which passwords are refused, and which rules do not exist."""

from __future__ import annotations

import pytest

from oidc_server import settings
from oidc_server.accounts.password_policy import PasswordRefused, _common_passwords, require_good

ALICE = ("alice.liddell", "alice@wonderland.example")


def refusals(password: str, **overrides: object) -> list[str]:
    values = {
        "environment": "testing",
        "secret_key": "0123456789abcdef" * 3,
        "issuer": "https://id.example.test",
    } | overrides
    try:
        require_good(password, settings.load({}, **values), names=ALICE)
    except PasswordRefused as error:
        return error.reasons
    return []


@pytest.mark.row("PW-05")
@pytest.mark.parametrize(
    "password",
    [
        "1234567890987654321",
        "qwertyuiop12345",
        "passwordpassword",
        "Password1234567",
        "iloveyouiloveyou",
        "!!!football2026!!!",
        "ｐａｓｓｗｏｒｄ１２３４５６７",
        "baseballbaseballbaseball",
        "password password",
        "Baseball-baseball-2026",
    ],
)
def test_common_passwords_are_refused_however_they_are_stretched(password: str) -> None:
    assert any("common" in reason for reason in refusals(password))


@pytest.mark.row("PW-05")
def test_the_commonest_passwords_of_eight_characters_are_all_on_the_list() -> None:
    listed = _common_passwords()

    assert len(listed) == 10_000
    assert {"password", "12345678", "123456789", "iloveyou", "sunshine", "princess", "1234567890"} <= listed
    assert not any(len(password) < 8 or password.startswith("#") for password in listed)
    assert all("common" in " ".join(refusals(password, password_min_length=8)) for password in sorted(listed)[::500])


@pytest.mark.row("PW-05")
@pytest.mark.parametrize(
    "password",
    [
        "alice.liddell99",
        "Alice.Liddell.alice",
        "alicealicealice",
        "alice@wonderland.example",
        "id.example.test1",
        "oidc_server oidc",
    ],
)
def test_the_own_name_and_the_name_of_the_site_are_refused(password: str) -> None:
    assert any("name" in reason for reason in refusals(password))


@pytest.mark.row("PW-07")
@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaaaaaa1",
        "correct horse battery staple",
        "aaaaaaaaaaaaaaa",
        "               x",
        "ünïcödé only lower",
        "8" * 17,
        "alice likes long walks",
        "🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊",
    ],
)
def test_there_are_no_rules_on_kinds_of_characters(password: str) -> None:
    assert refusals(password) == []


@pytest.mark.row("PW-03")
def test_length_is_counted_in_characters() -> None:
    assert refusals("é" * 15) == []
    assert "at least 15 characters" in refusals("é" * 14)[0]
    assert "at least 8 characters" in refusals("é" * 7, password_min_length=8)[0]
    assert "at most 4096" in refusals("é" * 5000)[0]


def test_every_reason_is_a_sentence_for_the_person() -> None:
    reasons = [*refusals("password"), *refusals("alice.liddell99"), *refusals("x" * 5000), *refusals("\ud800" * 20)]

    assert len(reasons) >= 5
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)
