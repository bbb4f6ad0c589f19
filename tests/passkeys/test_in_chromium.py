"""A person at a real Chromium with its virtual authenticator: the scripts, the policy of the pages, and the whole way."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from oidc_server.accounts import store as accounts
from oidc_server.database import db, transact
from oidc_server.factors import passkeys
from oidc_server.sessions.models import Session
from tests.conftest import PASSWORD
from tests.live import LiveServer


class Tab:
    """A fresh browser with one page, and with a virtual authenticator."""

    def __init__(self, browser: Browser, server: LiveServer, **options: Any) -> None:
        self.url = server.url
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.cdp: CDPSession = self.context.new_cdp_session(self.page)
        self.cdp.send("WebAuthn.enable")
        self.authenticator = ""

    def plug_in(self, **options: Any) -> str:
        """Put an authenticator beside the browser."""
        standard = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        standard |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        answer = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": standard | options})
        self.authenticator = str(answer["authenticatorId"])
        return self.authenticator

    def unplug(self) -> None:
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator})

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})[
            "credentials"
        ]
        return found

    def verify(self, verified: bool) -> None:
        """Whether the person's finger is recognised from now on."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": verified})

    def sign_in_with_password(self) -> None:
        self.page.goto(f"{self.url}/login")
        self.page.fill("#username", "alice")
        self.page.fill("#password", PASSWORD)
        self.page.click("#login-submit")

    def offer_nothing_among_the_names(self) -> None:
        """As browsers do that lack conditional mediation. The virtual authenticator would take up that offer at once."""
        self.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")

    def press_passkey(self) -> None:
        self.offer_nothing_among_the_names()
        self.page.goto(f"{self.url}/login")
        self.page.click("#login-passkey")

    def add_passkey(self, name: str = "") -> None:
        self.page.goto(f"{self.url}/account/passkeys")
        self.page.fill("#passkey-name", name)
        self.page.click("#passkey-add")

    def sign_out(self) -> None:
        self.context.clear_cookies()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("passkeys") / "server") as made:
        yield made


@pytest.fixture
def server(running: LiveServer) -> Iterator[LiveServer]:
    """The server with an Alice who is new to it."""
    with running.app.app_context():
        created = accounts.create("alice", PASSWORD, email="alice@example.test", email_verified=True)
        yield running
        accounts.delete(created.id)


@pytest.fixture
def tab(chromium: Browser, server: LiveServer) -> Iterator[Callable[..., Tab]]:
    opened: list[Tab] = []

    def make(**options: Any) -> Tab:
        opened.append(Tab(chromium, server, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()


def test_a_passkey_is_added_and_signs_in_alone(tab: Callable[..., Tab]) -> None:
    alice = tab()
    alice.plug_in()
    alice.sign_in_with_password()
    alice.add_passkey("Phone")
    alice.page.wait_for_url("**/account/factors/recovery-codes")
    (credential,) = alice.credentials()
    assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)
    assert len(base64.b64decode(credential["userHandle"])) == 32
    alice.page.goto(f"{alice.url}/account/passkeys")
    assert alice.page.inner_text(".passkey-name") == "Phone"

    alice.sign_out()
    alice.press_passkey()
    alice.page.wait_for_url("**/account")
    assert alice.problems == []


@pytest.mark.spec("WebAuthn §5.1.4")
def test_a_passkey_is_offered_among_the_names(tab: Callable[..., Tab]) -> None:
    alice = tab()
    alice.plug_in()
    alice.sign_in_with_password()
    alice.add_passkey()
    alice.page.wait_for_url("**/account/factors/recovery-codes")
    alice.sign_out()
    alice.page.goto(f"{alice.url}/login")
    alice.page.wait_for_url("**/account")
    assert alice.problems == []


@pytest.fixture
def alice(tab: Callable[..., Tab]) -> Tab:
    """Alice with one passkey, signed out, at a browser that leaves the names alone."""
    made = tab()
    made.plug_in()
    made.sign_in_with_password()
    made.add_passkey("Phone")
    made.page.wait_for_url("**/account/factors/recovery-codes")
    made.sign_out()
    made.offer_nothing_among_the_names()
    return made


def test_a_passkey_is_the_second_step_after_the_password(alice: Tab) -> None:
    alice.sign_in_with_password()
    alice.page.wait_for_url("**/login/second-factor?*")
    assert alice.page.is_hidden("#passkey-impossible")
    alice.page.click("#login-passkey")
    alice.page.wait_for_url("**/account")
    assert alice.problems == []


@pytest.mark.spec("WebAuthn §7.2")
def test_a_finger_that_is_not_recognised_signs_nobody_in(alice: Tab) -> None:
    alice.verify(False)
    alice.press_passkey()
    alice.page.wait_for_selector("[data-when=cancelled]:not([hidden])")
    assert alice.page.url.endswith("/login")
    alice.page.goto(f"{alice.url}/account")
    assert alice.page.is_visible("#login-form")


def test_a_device_that_does_not_verify_its_user_adds_nothing(tab: Callable[..., Tab]) -> None:
    bob = tab()
    bob.plug_in(hasUserVerification=False, isUserVerified=False)
    bob.sign_in_with_password()
    bob.add_passkey()
    bob.page.wait_for_selector("[data-when]:not([hidden])")
    assert bob.credentials() == []
    bob.page.goto(f"{bob.url}/account/passkeys")
    assert bob.page.is_visible("#no-passkeys")


def test_several_passkeys_are_named_renamed_and_removed(alice: Tab) -> None:
    page = alice.page
    alice.press_passkey()
    page.wait_for_url("**/account")

    # The device that has one says so; another one is added.
    alice.add_passkey("Again")
    page.wait_for_selector("[data-when=known]:not([hidden])")
    first = alice.authenticator
    alice.unplug()
    alice.plug_in(transport="usb")
    alice.add_passkey("Security key")
    page.wait_for_selector("text=Recovery codes")
    page.goto(f"{alice.url}/account/passkeys")
    assert page.locator(".passkey-name").all_inner_texts() == ["Phone", "Security key"]
    assert first != alice.authenticator

    phone = page.locator("#passkeys > li").nth(0)
    phone.locator("summary", has_text="Rename").click()
    phone.locator("input[name=name]").fill("Old phone")
    phone.get_by_role("button", name="Save").click()
    page.wait_for_selector("[role=status]")
    assert page.locator(".passkey-name").all_inner_texts() == ["Old phone", "Security key"]

    phone = page.locator("#passkeys > li").nth(0)
    phone.locator("summary", has_text="Remove").click()
    phone.get_by_role("button", name="Remove it").click()
    page.wait_for_selector("[role=status]")
    assert page.locator(".passkey-name").all_inner_texts() == ["Security key"]

    alice.sign_out()
    alice.press_passkey()
    page.wait_for_url("**/account")
    assert alice.problems == []


def test_a_removed_passkey_is_refused_and_forgotten_by_the_device(alice: Tab, server: LiveServer) -> None:
    with server.app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        (mine,) = passkeys.store.list_of(account.id)
        passkeys.store.remove(account.id, mine.id)
    assert len(alice.credentials()) == 1
    alice.press_passkey()
    alice.page.wait_for_selector("#passkey-alert")
    assert "Nobody was signed in" in alice.page.inner_text("#passkey-alert")
    alice.page.wait_for_function("document.querySelector('#passkey-form').hidden === false")
    for _ in range(20):
        if not alice.credentials():
            break
        alice.page.wait_for_timeout(100)
    assert alice.credentials() == []


def test_at_another_name_of_the_machine_no_passkey_is_offered(alice: Tab) -> None:
    alice.page.goto(f"{alice.url}/login".replace("localhost", "127.0.0.1"))
    assert alice.page.is_visible("#login-form")
    assert alice.page.is_hidden("#passkey-form")


@pytest.mark.parametrize("how", ["no script", "no passkeys"])
def test_where_there_are_no_passkeys_nothing_is_missing(tab: Callable[..., Tab], how: str) -> None:
    alice = tab(java_script_enabled=how != "no script")
    alice.page.add_init_script("delete window.PublicKeyCredential")
    alice.sign_in_with_password()
    alice.page.wait_for_url("**/account")
    alice.page.goto(f"{alice.url}/account/passkeys")
    assert alice.page.is_hidden("#passkey-form")
    assert alice.page.is_visible("#passkey-impossible")
    alice.sign_out()
    alice.page.goto(f"{alice.url}/login")
    assert alice.page.is_hidden("#passkey-form")
    assert alice.page.is_visible("#login-submit")
    assert alice.problems == []


def test_the_keyboard_reaches_the_passkey_after_the_password(alice: Tab) -> None:
    alice.page.goto(f"{alice.url}/login")
    alice.page.wait_for_selector("#login-passkey")
    walked = []
    for _ in range(6):
        walked.append(alice.page.evaluate("document.activeElement.id || document.activeElement.className"))
        alice.page.keyboard.press("Tab")
    walked = [name for name in walked if name]  # the link to a new password has none
    assert walked[:5] == ["username", "password", "switch", "login-submit", "login-passkey"]
    alice.page.focus("#login-passkey")
    alice.page.keyboard.press("Enter")
    alice.page.wait_for_url("**/account")


def test_the_enter_key_in_the_field_of_the_name_adds_the_passkey(tab: Callable[..., Tab]) -> None:
    alice = tab()
    alice.plug_in()
    alice.sign_in_with_password()
    alice.page.goto(f"{alice.url}/account/passkeys")
    alice.page.fill("#passkey-name", "Laptop")
    alice.page.press("#passkey-name", "Enter")
    alice.page.wait_for_url("**/account/factors/recovery-codes")
    alice.page.goto(f"{alice.url}/account/passkeys")
    assert alice.page.inner_text(".passkey-name") == "Laptop"


@pytest.mark.row("SE-12")
def test_a_page_that_has_grown_old_asks_who_it_is_again(tab: Callable[..., Tab], server: LiveServer) -> None:
    alice = tab()
    alice.plug_in()
    alice.sign_in_with_password()
    alice.page.goto(f"{alice.url}/account/passkeys")
    with server.app.app_context():
        transact(lambda: db.session.execute(sa.update(Session).values(auth_time=Session.auth_time - 3600)))
    alice.page.click("#passkey-add")
    alice.page.wait_for_url("**/login?then=/account/passkeys&prompt=login")
    alice.page.fill("#password", PASSWORD)
    alice.page.click("#login-submit")
    alice.page.wait_for_url("**/account/passkeys")
    alice.page.click("#passkey-add")
    alice.page.wait_for_url("**/account/factors/recovery-codes")
