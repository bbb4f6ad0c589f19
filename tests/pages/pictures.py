"""Takes the pictures of the README anew: `python -m tests.pages.pictures`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from oidc_server import create_app

from .. import live
from ..conftest import populate, settings_for
from .served import Person, Served

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
DESK = {"width": 1120, "height": 720}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        template = folder / "template"
        app = create_app(**settings_for(template))
        app.test_cli_runner().invoke(args=["db", "upgrade"])
        with app.app_context():
            populate()
        live.close(app)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        served = Served(template, folder)
        try:
            take_all(browser, served)
        finally:
            served.close()
            browser.close()


def take_all(browser: Browser, served: Served) -> None:
    """Sign-in and consent in the light, the account in the dark and on a phone."""
    light = Person(browser, served, color_scheme="light", viewport=DESK)
    light.authorize()
    take(light, "sign_in")
    light.sign_in()
    take(light, "consent")
    light.press("consent-allow")
    light.open("/account/sessions")
    take(light, "devices")
    dark = Person(browser, served, color_scheme="dark", viewport=DESK)
    dark.sign_in()
    dark.tab.wait_for_url("**/account")
    dark.open("/account/apps")
    take(dark, "apps")
    phone = Person(browser, served, language="ar", color_scheme="light", viewport=PHONE)
    phone.sign_in()
    phone.tab.wait_for_url("**/account")
    take(phone, "phone")
    for person in (light, dark, phone):
        person.close()


def take(person: Person, name: str) -> None:
    person.tab.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
