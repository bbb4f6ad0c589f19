"""The ways to the pages of signing up, of mails with links and codes, and of new passwords."""

from __future__ import annotations

from collections.abc import Callable

from oidc_server import registrations
from oidc_server.accounts import store as accounts
from oidc_server.database import db

from .. import mailbox
from .served import Person

GOOD = "a quiet walk along the river"


def address(person: Person) -> str:
    return f"carol{person.number}@example.test"


def sign_up(person: Person) -> None:
    person.open("/signup")
    person.fill(**{"signup-email": address(person), "signup-password": GOOD})
    person.press("signup-submit")


def who_may_sign_up(setting: str) -> Callable[[Person], object]:
    """The page that says why there is no form."""

    def open_it(person: Person) -> None:
        person.served.decide(sign_up=setting)
        person.open("/signup")

    return open_it


def sign_up_that_failed(person: Person) -> None:
    person.open("/signup")
    person.fill(**{"signup-email": address(person), "signup-password": "password"})
    person.press("signup-submit")


def sign_up_with_a_taken_address(person: Person) -> None:
    person.open("/signup")
    person.fill(**{"signup-email": "alice@example.test", "signup-password": GOOD})
    person.press("signup-submit")


def wrong_code(person: Person) -> None:
    sign_up(person)
    person.fill(**{"verify-code": "0000 0000"})
    person.press("verify-submit")


def confirmed(person: Person) -> None:
    sign_up(person)
    follow(person, address(person))
    person.press("verify-submit")


def follow(person: Person, to: str) -> None:
    person.open(mailbox.newest(person.served.app, to).path)


def confirm_elsewhere(person: Person) -> None:
    sign_up(person)
    person.context.clear_cookies(name="oidc_browser")
    person.context.clear_cookies(name="oidc_session")
    follow(person, address(person))


def confirm_elsewhere_that_failed(person: Person) -> None:
    confirm_elsewhere(person)
    person.fill(**{"verify-password": "not the one"})
    person.press("verify-submit")


def disowned(person: Person) -> None:
    confirm_elsewhere(person)
    person.press("verify-disown")


def change_of_address(person: Person) -> None:
    """Of an account of this person's own, so that the others stay as they are."""
    new = f"new{person.number}-{len(mailbox.of(person.served.app))}@example.test"
    with person.served.app.app_context():
        account = accounts.find_by_login(address(person)) or accounts.create(
            f"carol{person.number}", email=address(person), email_verified=True
        )
        registrations.begin_email_change(account, new)
        db.session.remove()
    follow(person, new)


def changed(person: Person) -> None:
    change_of_address(person)
    person.press("verify-submit")


def undo(person: Person) -> None:
    changed(person)
    follow(person, address(person))


def undone(person: Person) -> None:
    undo(person)
    person.press("verify-submit")


def mail_on_its_way(person: Person, login: str = "nobody") -> None:
    person.open("/recover")
    person.fill(**{"recover-login": login})
    person.press("recover-submit")


def new_password(person: Person) -> None:
    with person.served.app.app_context():
        if accounts.find_by_login(address(person)) is None:
            accounts.create(f"carol{person.number}", email=address(person), email_verified=True)
        db.session.remove()
    mail_on_its_way(person, address(person))
    follow(person, address(person))


def new_password_that_failed(person: Person) -> None:
    new_password(person)
    person.fill(**{"reset-password": "password"})
    person.press("reset-submit")


def new_password_set(person: Person) -> None:
    new_password(person)
    person.fill(**{"reset-password": f"{GOOD} {person.number}"})
    person.press("reset-submit")


def at(path: str) -> Callable[[Person], object]:
    return lambda person: person.open(path)


PAGES: dict[str, Callable[[Person], object]] = {
    "sign up": at("/signup"),
    "sign up that failed": sign_up_that_failed,
    "sign up with a taken address": sign_up_with_a_taken_address,
    "sign up closed": who_may_sign_up("off"),
    "sign up by invitation": who_may_sign_up("invitation"),
    "invitation that ended": at("/signup?invitation=gone"),
    "mail to confirm an address": sign_up,
    "wrong code": wrong_code,
    "address confirmed": confirmed,
    "confirm an address elsewhere": confirm_elsewhere,
    "confirm an address elsewhere, failed": confirm_elsewhere_that_failed,
    "sign up disowned": disowned,
    "another mail": at("/verify"),
    "link that ended": at("/verify?link=gone"),
    "change of address": change_of_address,
    "address changed": changed,
    "undo a change of address": undo,
    "change of address undone": undone,
    "forgotten password": at("/recover"),
    "mail for a new password": mail_on_its_way,
    "new password": new_password,
    "new password that failed": new_password_that_failed,
    "new password set": new_password_set,
    "reset link that ended": at("/reset?link=gone"),
}
