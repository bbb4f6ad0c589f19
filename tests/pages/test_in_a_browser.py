"""What the pages do in a real Chromium: small screens, scripts and their absence, forms, frames and popups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from .accessible import LARGE_ENOUGH, TOO_WIDE
from .samples import PAGES
from .two_sites import Site

pytestmark = pytest.mark.thorough


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a tab of a fresh browser; the options are Playwright's of a context."""
    opened = []

    def make(**options: Any) -> Page:
        opened.append(chromium.new_context(**options))
        return opened[-1].new_page()

    yield make
    for context in opened:
        context.close()


@pytest.mark.row("WB-04", "WB-13")
@pytest.mark.parametrize(("scheme", "direction"), [("light", ""), ("dark", "?rtl")])
def test_every_page_fits_a_small_phone_and_breaks_no_policy(
    site: Site, tab: Callable[..., Page], scheme: str, direction: str
) -> None:
    page = tab(color_scheme=scheme, viewport={"width": 320, "height": 560})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda sent: said.append(sent.url) if not sent.url.startswith(site.url) else None)
    for name in PAGES:
        if name == "form post":
            continue
        page.goto(f"{site.url}/show/{name}{direction}")
        assert not page.evaluate(TOO_WIDE), name
        assert page.evaluate(LARGE_ENOUGH) == [], name
    assert said == []


def test_the_keyboard_walks_through_sign_in_in_order(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    page.goto(f"{site.url}/show/sign in")
    walked = []
    for _ in range(5):
        walked.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        page.keyboard.press("Tab")
    assert walked == ["username", "password", "switch", "login-submit", "login-cancel"]


def test_the_switch_shows_the_password_and_hides_it_again_before_it_is_sent(
    site: Site, tab: Callable[..., Page]
) -> None:
    page = tab()
    page.goto(f"{site.url}/show/sign in")
    page.fill("#password", "secret")
    switch = page.get_by_role("button", name="Show password")
    switch.click()
    assert (page.get_attribute("#password", "type"), switch.get_attribute("aria-pressed")) == ("text", "true")
    assert page.evaluate("document.activeElement.id") == "password"
    page.evaluate("document.querySelector('#login-form').addEventListener('submit', event => event.preventDefault())")
    page.fill("#username", "alice")
    page.click("#login-submit")
    assert page.get_attribute("#password", "type") == "password"


def test_without_scripts_nothing_is_missing(site: Site, tab: Callable[..., Page]) -> None:
    page = tab(java_script_enabled=False)
    page.goto(f"{site.url}/show/sign in")
    assert page.get_by_role("button").all_inner_texts() == ["Sign in", "Cancel"]
    page.click("#languages summary")
    assert page.get_by_role("button", name="Deutsch").is_visible()
    page.goto(f"{site.url}/form/form-post")
    page.get_by_role("button", name="Continue").click()
    assert site.posted == [{"code": "c-1", "submit": "x"}]


@pytest.mark.row("RU-24")
def test_the_form_post_page_posts_at_once_and_only_once(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    page.goto(f"{site.url}/login")
    page.goto(f"{site.url}/form/form-post")
    page.wait_for_url(f"{site.stranger}/callback")
    assert site.posted == [{"code": "c-1", "submit": "x"}]
    page.go_back()
    page.wait_for_load_state()
    assert len(site.posted) == 1
    assert not page.url.startswith(site.stranger)


def test_a_button_that_is_pressed_twice_sends_once(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.method)
        route.fulfill(status=204)  # the page stays

    page.route(f"{site.url}/consent", answer)
    page.goto(f"{site.url}/show/consent")
    for _ in range(2):
        page.click("#consent-allow")
    page.wait_for_timeout(200)
    assert sent == ["POST"]
    assert page.get_attribute("#consent-form", "aria-busy") == "true"


@pytest.mark.row("AC-12", "SE-01")
def test_our_own_form_passes_although_the_browser_hides_its_origin(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    page.goto(f"{site.url}/form/listed")
    page.click("button")
    page.wait_for_url(f"{site.stranger}/callback")
    assert site.posted == [{"origin": "null", "referer": ""}]


@pytest.mark.row("SE-01", "WB-09")
def test_a_form_on_a_strangers_page_is_refused(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    page.goto(f"{site.stranger}/forge")
    with page.expect_response(f"{site.url}/login") as answer:
        page.click("button")
    assert answer.value.status == 403


@pytest.mark.row("WB-04")
def test_a_form_ends_nowhere_that_its_page_did_not_allow(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    page.goto(f"{site.url}/form/unlisted")
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.click("button")
    assert page.url == f"{site.url}/form/unlisted"


@pytest.mark.row("CO-06", "WB-05")
def test_a_strangers_frame_stays_empty(site: Site, tab: Callable[..., Page]) -> None:
    page = tab()
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        page.goto(f"{site.stranger}/frame")
    assert "csrf_token" not in "".join(frame.content() for frame in page.frames)


@pytest.mark.row("WB-12")
@pytest.mark.parametrize(("kind", "kept"), [("popup", True), ("listed", False)])
def test_an_app_that_asked_for_a_popup_keeps_hold_of_it(
    site: Site, tab: Callable[..., Page], kind: str, kept: bool
) -> None:
    page = tab()
    page.goto(f"{site.stranger}/app")
    with page.expect_popup() as opened:
        page.evaluate("url => { window.popup = window.open(url); }", f"{site.url}/form/{kind}")
    popup = opened.value
    popup.click("button")
    popup.wait_for_url(f"{site.stranger}/callback")
    assert popup.evaluate("window.opener !== null") is kept
    assert page.evaluate("window.popup.closed") is not kept


@pytest.mark.parametrize("width", [1280, 320])
def test_cancel_and_allow_are_of_one_size(site: Site, tab: Callable[..., Page], width: int) -> None:
    page = tab(viewport={"width": width, "height": 700})
    page.goto(f"{site.url}/show/consent")
    deny, allow = (page.locator(f"#consent-{name}").bounding_box() for name in ("deny", "allow"))
    assert deny and allow
    assert (round(deny["width"]), round(deny["height"])) == (round(allow["width"]), round(allow["height"]))
