"""WCAG 2.2 AA on every page, in every language, light and dark, on a desk and on a small phone: axe-core in Chromium, and the keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from .accessible import PHONE, RULES, RUN, check_in_every_language, english_words, reach, walk_by_keyboard
from .every_page import SIGNING_IN
from .served import Person, Served

pytestmark = pytest.mark.thorough

#: Pages whose scripts add something or send a form by themselves.
WITH_SCRIPTS = ("sign in for an app", "consent", "form post", "sign up", "new app in the account", "account/passkeys")


@pytest.mark.parametrize("name", SIGNING_IN)
def test_axe_finds_nothing_and_the_keyboard_misses_nothing(
    chromium: Browser, served: Served, axe: str, name: str
) -> None:
    check_in_every_language(chromium, served, axe, name)


@pytest.mark.parametrize("name", WITH_SCRIPTS)
def test_the_keyboard_misses_nothing_without_scripts(chromium: Browser, served: Served, name: str) -> None:
    person = reach(chromium, served, name, java_script_enabled=False)
    walk_by_keyboard(person.tab)
    person.close()


def wait_for_the_cursor(tab: Page, identifier: str) -> None:
    """Until the page has put the cursor there by itself; Playwright's own ways to wait need scripts."""
    for _ in range(100):
        if tab.evaluate("document.activeElement.id") == identifier:
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"the cursor never came to {identifier}")


def test_a_whole_sign_in_needs_no_mouse(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served, "ar", java_script_enabled=False, viewport=PHONE)
    person.authorize(prompt="consent")
    wait_for_the_cursor(person.tab, "username")
    person.tab.keyboard.type("alice")
    person.tab.keyboard.press("Tab")
    person.tab.keyboard.type("correct horse battery staple")
    person.tab.keyboard.press("Enter")
    person.tab.wait_for_url("**/consent?*")
    while person.tab.evaluate("document.activeElement.id") != "consent-allow":
        person.tab.keyboard.press("Tab")
    with person.tab.expect_request(re.compile("^https://photos.example/callback")) as sent:
        person.tab.keyboard.press("Enter")
    assert "code=" in sent.value.url
    person.close()


def test_a_language_is_chosen_without_a_mouse_and_without_scripts(chromium: Browser, served: Served) -> None:
    person = reach(chromium, served, "sign in for an app", java_script_enabled=False)
    address = person.tab.url
    person.tab.focus("#languages summary")
    person.tab.keyboard.press("Enter")
    assert person.tab.get_by_role("button", name="English").count() == 0
    for _ in range(5):
        person.tab.keyboard.press("Tab")
    assert person.tab.evaluate("document.activeElement.innerText") == "العربية"
    with person.tab.expect_navigation():
        person.tab.keyboard.press("Enter")
    assert person.tab.locator("html").get_attribute("dir") == "rtl"
    assert person.tab.url == address
    assert person.tab.locator("h1").inner_text() == "تسجيل الدخول"
    person.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_page_is_mirrored_where_the_writing_is(chromium: Browser, served: Served, language: str) -> None:
    person = reach(chromium, served, "consent", language)

    def centre(selector: str) -> float:
        box = person.tab.locator(selector).first.bounding_box()
        assert box
        return float(box["x"] + box["width"] / 2)

    is_mirrored = language == "ar"
    assert (centre(".mark") > centre(".asker p")) is is_mirrored
    assert (centre("#consent-deny") > centre("#consent-allow")) is is_mirrored
    assert (centre(".scopes .icon") > centre(".scopes p")) is is_mirrored
    assert person.tab.evaluate("getComputedStyle(document.querySelector('h1')).textAlign") == "start"
    person.close()


def test_axe_finds_what_is_wrong(chromium: Browser, served: Served, axe: str) -> None:
    person = reach(chromium, served, "sign in")
    person.tab.evaluate(axe)
    person.tab.evaluate("document.documentElement.lang = '', document.querySelector('label').remove()")
    found = {line.split(":")[0] for line in person.tab.evaluate(RUN, RULES)}
    assert {"html-has-lang", "label"} <= found
    person.close()


def test_english_among_japanese_is_found(chromium: Browser, served: Served) -> None:
    person = reach(chromium, served, "sign in", "ja")
    assert english_words(person.tab) == set()
    person.tab.evaluate("document.querySelector('h1').textContent = 'Sign in'")
    assert english_words(person.tab) == {"Sign"}
    person.close()
