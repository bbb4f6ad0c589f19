"""The ways to the pages of the second step, in signing in and in the account."""

from __future__ import annotations

import base64
from collections.abc import Callable

from oidc_server import factors
from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from oidc_server.factors import totp

from ..conftest import PASSWORD
from .served import Person


def account_of(person: Person, *, with_app: bool = True, codes: int = 0) -> str:
    """The user name of an account of this person's own, with an authenticator app if wanted."""
    name = f"dora{person.number}"
    with person.served.app.app_context():
        account = accounts.find_by_login(name) or accounts.create(name, PASSWORD, email=f"{name}@example.test")
        if with_app and not factors.of(account.id):
            secret = totp.make_secret()
            code = totp.code_at(secret, totp.step_now() - 1)
            transact(lambda: totp.add(account.id, secret, code, ""))
        if codes:
            transact(lambda: factors.recovery_codes.make(account.id))
    return name


def asked(person: Person, **parameters: str) -> None:
    """The question for a code."""
    name = account_of(person, codes=10)
    if parameters:
        person.authorize(**parameters)
    person.sign_in(name)


def asked_for_an_app(person: Person) -> None:
    asked(person, scope="openid")


def asked_without_recovery_codes(person: Person) -> None:
    person.sign_in(account_of(person))


def failed(person: Person) -> None:
    asked(person)
    person.fill(code="000000")
    person.press("second-factor-submit")


def failed_recovery_code(person: Person) -> None:
    asked(person)
    person.press("lost-factor > summary")
    person.fill(**{"recovery-code": "ABCD-EFGH-JKLM"})
    person.press("recovery-code-submit")


def must_wait(person: Person) -> None:
    asked(person)
    for _ in range(6):
        person.fill(code="000000")
        person.press("second-factor-submit")


def took_too_long(person: Person) -> None:
    person.open("/login/second-factor?pending=gone")


def set_up(person: Person) -> None:
    """An app that is not content with one factor, and a person who has just one."""
    person.authorize(scope="openid", claims='{"id_token": {"acr": {"essential": true, "values": ["2"]}}}')
    person.sign_in(account_of(person, with_app=False))


def set_up_that_failed(person: Person) -> None:
    set_up(person)
    person.fill(code="000000")
    person.press("new-factor-submit")


def set_up_and_shown_the_codes(person: Person) -> None:
    set_up(person)
    person.fill(code=code_on_the_page(person))
    person.press("new-factor-submit")


def code_on_the_page(person: Person) -> str:
    """What an app shows that was given the letters of this page."""
    with person.served.app.app_context():
        letters = person.tab.locator("#totp-secret").inner_text().replace(" ", "")
        return totp.code_at(base64.b32decode(letters), totp.step_now())


def in_the_account(path: str = "", *then: str) -> Callable[[Person], None]:
    """A page of the account, before there is a factor, and what is pressed there."""

    def walk(person: Person) -> None:
        person.sign_in(account_of(person, with_app=False))
        person.open(f"/account/factors{path}")
        for identifier in then:
            person.press(identifier)

    return walk


def added(person: Person) -> None:
    in_the_account("", "add-app")(person)
    person.fill(code=code_on_the_page(person), **{"app-name": "My phone"})
    person.press("new-app-submit")


def listed(person: Person) -> None:
    added(person)
    person.open("/account/factors")


def codes_in_the_account(person: Person) -> None:
    added(person)
    person.press("make-recovery-codes")


def refused_app(person: Person) -> None:
    in_the_account("", "add-app")(person)
    person.fill(code="000000")
    person.press("new-app-submit")


def settled(walk: Callable[[Person], object]) -> Callable[[Person], None]:
    """The same, and wait until scripts and the cursor are where the page wants them."""

    def walk_and_wait(person: Person) -> None:
        walk(person)
        person.tab.wait_for_load_state("load")
        person.tab.wait_for_timeout(100)

    return walk_and_wait


_WALKS: dict[str, Callable[[Person], object]] = {
    "second step": asked,
    "second step for an app": asked_for_an_app,
    "second step without recovery codes": asked_without_recovery_codes,
    "second step that failed": failed,
    "recovery code that failed": failed_recovery_code,
    "second step that must wait": must_wait,
    "second step that took too long": took_too_long,
    "new second step": set_up,
    "new second step that failed": set_up_that_failed,
    "new second step with its recovery codes": set_up_and_shown_the_codes,
    "second step in the account": in_the_account(),
    "new app in the account": in_the_account("", "add-app"),
    "new app that failed": refused_app,
    "recovery codes to be made": added,
    "recovery codes that were made": codes_in_the_account,
    "second steps listed": listed,
}
PAGES = {name: settled(walk) for name, walk in _WALKS.items()}
