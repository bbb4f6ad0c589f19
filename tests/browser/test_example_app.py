"""A person at the example app, in a real browser: signs in, sees her name, calls the API, refreshes, signs out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.examples.test_run import RUN, Command, port, tree

__all__ = ["port", "tree"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def running(tree: Path, port: int) -> Iterator[Command]:
    command = Command(tree, RUN, PORT=str(port))
    try:
        command.wait_for("Ctrl-C stops everything")
        yield command
    finally:
        if command.process.poll() is None:
            command.end()


@pytest.fixture(params=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is missing")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = browser.new_context(java_script_enabled=request.param == "with scripts")
        yield context.new_page()
        browser.close()


def test_alice_signs_in_uses_the_api_and_signs_out(running: Command, port: int, page: Any) -> None:
    said = re.search(r"^ *Password +(.+)$", running.said, re.MULTILINE)
    assert said, running.said
    password = said[1].strip()

    page.goto(f"http://localhost:{port + 1}/")
    page.click("#sign-in")
    assert page.url.startswith(f"http://localhost:{port}/login")
    page.fill("#username", "alice")
    page.fill("#password", password)
    page.click("#login-submit")
    assert page.locator("#consent-allow").is_visible(), page.content()
    page.click("#consent-allow")

    assert page.url.startswith(f"http://localhost:{port + 1}/")
    assert "Alice" in page.inner_text("#person-name")
    page.click("#call-api")
    assert page.locator("#api-result").is_visible()
    before = page.inner_text("#token-info")
    page.click("#refresh")
    assert page.inner_text("#token-info") != before
    page.click("#call-api")
    assert page.locator("#api-result").is_visible()

    page.click("#sign-out")
    assert page.url.startswith(f"http://localhost:{port + 1}/")
    assert page.locator("#sign-in").is_visible()
    assert page.locator("#call-api").count() == 0, "nobody is signed in who could call it"
    page.click("#sign-in")
    assert page.locator("#login-form").is_visible(), "the session here has ended too"
