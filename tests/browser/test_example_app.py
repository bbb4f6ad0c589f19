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
    page.click("#consent-allow")
    page.wait_for_selector("#person-name")
    assert page.url.startswith(f"http://localhost:{port + 1}/")
    assert "Alice" in page.inner_text("#person-name")
    page.click("#call-api")
    page.wait_for_selector("#api-result")
    before = int(page.inner_text("#refresh-count"))
    page.click("#refresh")
    page.wait_for_selector("#notice")
    assert int(page.inner_text("#refresh-count")) == before + 1
    page.click("#call-api")
    page.wait_for_selector("#api-result")

    page.click("#sign-out")
    page.wait_for_selector("#sign-in")
    assert page.url.startswith(f"http://localhost:{port + 1}/")
    page.click("#call-api")
    assert "nobody is signed in" in page.inner_text("#problem")
    page.click("#sign-in")
    page.wait_for_selector("#login-form")  # the session at the server has ended too
