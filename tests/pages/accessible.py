"""What it takes that everybody can use a page: axe-core, the keyboard, a small phone, six languages, light and dark."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Error, Page

from oidc_server.languages import DIRECTIONS
from oidc_server.languages.catalogues import load

from .every_page import PAGES
from .served import Person, Served

AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ['violations'], elementRef: false});
  return found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ': ' + node.html.slice(0, 200)));
}"""
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
LARGE_ENOUGH = """() => [...document.querySelectorAll('button, summary, input:not([type=hidden]), a.button')]
  .filter(e => e.checkVisibility()).map(e => ['checkbox', 'radio'].includes(e.type) ? e.labels[0] : e)
  .filter(e => Math.round(e.getBoundingClientRect().height) < 44).map(e => e.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
#: How each language is looked at, on a phone; every page was seen on a desk and in the light before.
SCHEMES: dict[str, Literal["light", "dark"]] = {
    "en": "dark",
    "de": "light",
    "fr": "dark",
    "es": "light",
    "ja": "dark",
    "ar": "light",
}

SETTLED = """() => document.readyState !== 'loading' &&
  document.styleSheets.length === document.querySelectorAll('link[rel=stylesheet]').length"""

#: Words in letters of ours that no catalogue translates, without all that names people, apps and addresses.
FOREIGN = """() => {
  const body = document.body.cloneNode(true);
  const names = 'bdi, code, [lang], script, template, option, datalist, textarea, #languages, .mark, .initials';
  body.querySelectorAll(names).forEach(e => e.remove());
  return body.textContent;
}"""
#: What is called the same everywhere.
NAMES_OF_THINGS = {"Cookie", "UTC", "GMT", "BST", "PIN", "QR", "JavaScript", "https"}
#: The page for programmers speaks of the words of their protocols.
FOR_PROGRAMMERS = {"accounts API"}

# The focus goes on with each Tab; what it passes, in order, and whether it can be seen there.
FOCUSABLE = """() => [...document.querySelectorAll(
    'a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex="0"]')]
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


def reach(
    chromium: Browser, served: Served, name: str, language: str = "en", with_script: str = "", **options: Any
) -> Person:
    """Somebody new who has come to the page; `with_script` runs in every page on the way."""
    person = Person(chromium, served, language, viewport=DESK, **options)
    if with_script:
        person.context.add_init_script(with_script)
    PAGES[name](person)
    settle(person.tab)
    return person


def settle(tab: Page) -> None:
    """Until the page and its stylesheets are there; a page that sends itself away never says that it was loaded."""
    for _ in range(200):
        with contextlib.suppress(Error):  # of a page that is just being left
            if tab.evaluate(SETTLED):
                return
        tab.wait_for_timeout(25)
    raise AssertionError("the page does not come to rest")


def reach_again(person: Person, name: str, language: str) -> None:
    """The same page in another language; an answer to a form is walked to from the start, by somebody new."""
    if person.came_by == "POST":
        person.forget()
        person.speak(language)
        PAGES[name](person)
        settle(person.tab)
    else:
        person.speak(language)
        person.tab.reload()


def languages_for(name: str) -> list[str]:
    """Every language where everything is tested (.ci/run); else English, Arabic, and one of the others in turn."""
    if os.environ.get("TESTS_MAY_NOT_SKIP"):
        return list(SCHEMES)
    others = [language for language in SCHEMES if language not in ("en", "ar")]
    return ["en", others[list(PAGES).index(name) % len(others)], "ar"]


def check_in_every_language(chromium: Browser, served: Served, axe: str, name: str) -> None:
    person = reach(chromium, served, name, with_script=axe)
    tab, heading = person.tab, person.tab.locator("h1").inner_text()
    assert tab.evaluate(RUN, RULES) == [], "on a desk, in the light"
    for language in languages_for(name):
        scheme = SCHEMES[language]
        tab.emulate_media(color_scheme=scheme)
        tab.set_viewport_size(PHONE)
        if language != "en":
            reach_again(person, name, language)
            # A heading with the name of an app in it is not in the catalogue as it stands.
            assert tab.locator("h1").inner_text() == load(language).get(heading, tab.locator("h1").inner_text())
        html = tab.locator("html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, DIRECTIONS[language])
        assert tab.evaluate(RUN, RULES) == [], (language, scheme)
        assert not tab.evaluate(TOO_WIDE), (language, "is too wide for a phone")
        assert tab.evaluate(LARGE_ENOUGH) == [], language
        if language in ("ja", "ar") and name not in FOR_PROGRAMMERS:
            assert english_words(tab) == set(), language
        if language in ("en", "ar"):
            walk_by_keyboard(tab)
    person.close()


def english_words(tab: Page) -> set[str]:
    return set(re.findall(r"[A-Za-z]{3,}", tab.evaluate(FOREIGN))) - NAMES_OF_THINGS


def walk_by_keyboard(tab: Page) -> None:
    """Tab goes through everything that can be used, in the order of the page, and shows where it is."""
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
