"""One Chromium for all tests of the pages, and the whole server behind a real port for those that walk through it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from ..ground import make_ground
from .accessible import AXE
from .served import Served


@pytest.fixture(scope="module")
def ground() -> Flask:
    """The ground with the real templates."""
    return make_ground()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole server over a copy of the template, in threads of this process."""
    served = Served(template, tmp_path_factory.mktemp("served"))
    yield served
    served.close()


@pytest.fixture(scope="package")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is missing; run `npm ci` in tests/pages/node")
    return AXE.read_text("utf-8")
