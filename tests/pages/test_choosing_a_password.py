"""The strength of a password while it is typed: said with scripts, and missed by nobody without them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from .mailed import GOOD, address, sign_up
from .served import Person, Served

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("", ""),
        ("short", "Too short so far"),
        ("aaaaaaaaaaaaaaaaaaaa", "Easy to guess"),
        ("abcdefghijklmnopqrst", "Easy to guess"),
        ("🂡🂢🂣🂤", "Too short so far"),
        (GOOD, "Very good"),
    ],
)
def test_it_says_how_long_a_password_would_hold(chromium: Browser, served: Served, password: str, word: str) -> None:
    person = Person(chromium, served)
    person.open("/signup")
    person.fill(**{"signup-password": password})

    said = person.tab.locator(".strength output")
    assert said.text_content() == word
    assert said.is_visible() is bool(word)
    person.close()


def test_without_scripts_the_rules_stand_there_and_the_form_works(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served, java_script_enabled=False)
    person.open("/signup")
    assert person.tab.locator(".strength").count() == 0
    assert "At least 15 characters" in person.tab.inner_text("#signup-password-rules")

    sign_up(person)

    assert person.tab.locator("#verify-code").is_visible()
    person.close()


def test_the_password_comes_back_into_no_field(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served)
    person.open("/signup")
    person.fill(**{"signup-email": address(person), "signup-name": "Carol", "signup-password": "password"})
    person.press("signup-submit")

    assert person.tab.input_value("#signup-name") == "Carol"
    assert person.tab.input_value("#signup-password") == ""
    person.tab.wait_for_function("document.activeElement.id === 'signup-password'")
    person.close()


def test_the_secret_of_a_link_reaches_no_other_site_and_no_address_after_it_was_used(
    chromium: Browser, served: Served
) -> None:
    from . import mailed

    person = Person(chromium, served)
    asked: list[str] = []
    person.tab.on("request", lambda request: asked.append(request.url))
    mailed.new_password_set(person)

    assert all(url.startswith(served.url) for url in asked)
    assert person.tab.url == f"{served.url}/reset/done"
    assert person.tab.evaluate("document.referrer") == ""
    person.close()
