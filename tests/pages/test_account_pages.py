"""The account pages in a real browser: acts that are asked about once, with and without scripts, and the list of sections on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from oidc_server import consents
from oidc_server.accounts import store as accounts
from oidc_server.database import transact

from .served import Person, Served

pytestmark = pytest.mark.thorough

PHONE = {"width": 360, "height": 720}


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def alice(chromium: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Person]:
    person = Person(chromium, served, java_script_enabled=request.param, viewport=PHONE)
    person.sign_in()
    yield person
    person.close()


def test_an_app_is_removed_after_one_question(served: Served, alice: Person) -> None:
    with served.app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        transact(lambda: consents.remember(account.id, "web", ["openid", "email"], []))
    alice.open("/account/apps")
    sure = alice.tab.get_by_role("button", name="Remove it")
    expect(sure).to_be_hidden()
    alice.tab.get_by_text("Remove", exact=True).click()
    expect(alice.tab.get_by_text("has to ask you again")).to_be_visible()
    sure.click()
    expect(alice.tab.get_by_role("status")).to_contain_text("The app has no access any more.")
    expect(alice.tab.locator("#no-apps")).to_be_visible()
    alice.tab.reload()
    expect(alice.tab.get_by_role("status")).to_have_count(0)


def test_another_browser_is_signed_out_after_one_question(chromium: Browser, served: Served, alice: Person) -> None:
    other = Person(chromium, served)
    other.sign_in()
    alice.open("/account/sessions")
    alice.tab.get_by_text("Sign out everywhere else", exact=True).first.click()
    alice.press("end-others-submit")
    expect(alice.tab.get_by_role("status")).to_contain_text("You are signed out everywhere but here.")
    other.open("/account")
    assert "/login?then=/account" in other.tab.url
    other.close()


def test_a_profile_that_is_refused_leads_to_its_field(alice: Person) -> None:
    alice.open("/account/profile")
    alice.fill(**{"profile-birthdate": "soon", "profile-nickname": "Al"})
    alice.press("profile-submit")
    alert = alice.tab.get_by_role("alert")
    alert.get_by_role("link").click()
    assert alice.tab.url.endswith("#profile-birthdate")
    assert alice.tab.get_attribute("#profile-birthdate", "aria-invalid") == "true"
    assert alice.tab.input_value("#profile-nickname") == "Al"


def test_the_list_of_sections_shows_where_one_is_on_a_phone(alice: Person) -> None:
    for section in ("/account", "/account/apps", "/account/data"):
        alice.open(section)
        box = alice.tab.locator("nav.sections [aria-current]").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], section


def test_the_download_is_a_file(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served)
    person.sign_in()
    person.open("/account/data")
    with person.tab.expect_download() as download:
        person.press("export-submit")
    assert download.value.suggested_filename.startswith("account-")
    person.close()


def test_the_strength_is_said_while_a_password_is_chosen(chromium: Browser, served: Served) -> None:
    person = Person(chromium, served)
    person.sign_in()
    person.open("/account/password")
    output = person.tab.locator(".strength output")
    expect(output).to_be_hidden()
    person.fill(**{"new-password": "a lighthouse keeper's umbrella"})
    expect(output).to_have_text("Very good")
    person.close()
