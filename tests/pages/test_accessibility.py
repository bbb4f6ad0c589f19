"""WCAG 2.2 AA on every page, in every language, light and dark, on a desk and on a small phone: axe-core in Chromium, and the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from oidc_server.languages import DIRECTIONS, SUPPORTED

from .every_page import PAGES
from .served import Person, Served
from .test_in_a_browser import LARGE_ENOUGH, TOO_WIDE

AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ['violations'], elementRef: false});
  return found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ': ' + node.html.slice(0, 200)));
}"""
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
#: Words in letters of ours that no catalogue translates, with all that names people, apps and addresses.
FOREIGN = """() => {
  const body = document.body.cloneNode(true);
  body.querySelectorAll('bdi, code, [lang], script, template, #languages, .mark, .initials').forEach(e => e.remove());
  return body.innerText;
}"""
#: What is called the same everywhere.
NAMES_OF_THINGS = {"Cookie", "UTC", "GMT", "BST", "PDF", "QR"}

# The focus goes on with each Tab; what it passes, in order, and whether it can be seen there.
FOCUSABLE = """() => [...document.querySelectorAll('a[href], button, summary, input:not([type=hidden]), select, textarea')]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0)
  .filter(e => e.type !== 'radio' || e.checked || ![...document.getElementsByName(e.name)].some(o => o.checked))
  .map((e, n) => { e.dataset.walk = n; return n; })"""
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (e === document.body) return null;
  return {walk: Number(e.dataset.walk ?? -1), html: e.outerHTML.slice(0, 150),
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0 &&
      box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is missing; run `npm ci` in tests/pages/node")
    return AXE.read_text("utf-8")


def reach(chromium: Browser, served: Served, name: str, language: str = "en", **options: Any) -> Person:
    person = Person(chromium, served, language, viewport=DESK, **options)
    PAGES[name](person)
    return person


def reach_again(person: Person, name: str, language: str) -> None:
    """The same page in another language; an answer to a form is walked to from the start, by somebody new."""
    if person.came_by == "POST":
        person.forget()
        person.speak(language)
        PAGES[name](person)
    else:
        person.speak(language)
        person.tab.reload()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(chromium: Browser, served: Served, axe: str, name: str) -> None:
    person = reach(chromium, served, name)
    tab, heading = person.tab, person.tab.locator("h1").inner_text()
    for language in SUPPORTED:
        if language != "en":
            tab.set_viewport_size(DESK)
            tab.emulate_media(color_scheme="light")
            reach_again(person, name, language)
            assert tab.locator("h1").inner_text() != heading, "the page is another, or not translated"
        html = tab.locator("html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, DIRECTIONS[language])
        tab.evaluate(axe)
        seen = {"light": tab.evaluate(RUN, RULES)}
        tab.set_viewport_size(PHONE)
        assert not tab.evaluate(TOO_WIDE), (language, "is too wide for a phone")
        assert tab.evaluate(LARGE_ENOUGH) == [], language
        if language in ("en", "ar"):
            tab.emulate_media(color_scheme="dark")
            seen["dark, phone"] = tab.evaluate(RUN, RULES)
        assert {how: found for how, found in seen.items() if found} == {}, language
        if language in ("ja", "ar"):
            words = set(re.findall(r"[A-Za-z]{3,}", tab.evaluate(FOREIGN))) - NAMES_OF_THINGS
            assert words == set(), (language, "these words are English still")
    person.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    chromium: Browser, served: Served, name: str, scripts: bool
) -> None:
    person = reach(chromium, served, name, java_script_enabled=scripts)
    tab = person.tab
    tab.set_viewport_size(PHONE)
    tab.evaluate("document.activeElement.blur()")
    wanted = tab.evaluate(FOCUSABLE)
    # From the start of the page, wherever the cursor had been put.
    tab.evaluate("document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute('tabindex')")
    walked = []
    for _ in range(len(wanted) + 1):
        tab.keyboard.press("Tab")
        focused = tab.evaluate(FOCUSED)
        if focused is None:
            break
        assert focused["seen"], focused["html"]
        walked.append(focused["walk"])
    assert walked == wanted
    person.close()


def test_a_whole_sign_in_needs_no_mouse(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served, "ar", java_script_enabled=False, viewport=PHONE)
    person.authorize(prompt="consent")
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
