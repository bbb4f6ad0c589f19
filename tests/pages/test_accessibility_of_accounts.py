"""WCAG 2.2 AA on the pages of the account and of the second step, in every language; a file of its own, to run beside the others."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from .accessible import check_in_every_language
from .every_page import IN_THE_ACCOUNT
from .served import Served

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("name", IN_THE_ACCOUNT)
def test_axe_finds_nothing_and_the_keyboard_misses_nothing(
    chromium: Browser, served: Served, axe: str, name: str
) -> None:
    check_in_every_language(chromium, served, axe, name)
