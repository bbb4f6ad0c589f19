"""Every page that a person can meet, and how one comes to it: a line each. What is added here is checked in every language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import account_pages, mailed, stepped
from .served import Person

#: What somebody who has never been here does until the page is open.
Way = Callable[[Person], object]


def at(path: str, *steps: Way) -> Way:
    """The page of an address that anybody may open, and what is done there."""
    return walk(lambda person: person.open(path), *steps)


def signed_in_at(path: str, *steps: Way) -> Way:
    """The page of an address for people who are signed in, and what Alice does there."""
    return walk(sign_in, lambda person: person.open(path), *steps)


def asked_by(client_id: str = "web", **parameters: Any) -> Way:
    """What the person sees whom an app sends here."""
    return lambda person: person.authorize(client_id=client_id, **parameters)


def walk(*steps: Way) -> Way:
    def walked(person: Person) -> None:
        for step in steps:
            step(person)

    return walked


def press(identifier: str) -> Way:
    return lambda person: person.press(identifier)


def fill(**fields: str) -> Way:
    """Fill in fields by their ids, with - for _."""
    return lambda person: person.fill(**{name.replace("_", "-"): text for name, text in fields.items()})


def sign_in(person: Person) -> None:
    person.sign_in()


def wrong_password(person: Person) -> None:
    person.sign_in(password="wrong horse battery staple")


def allow_and_arrive(person: Person) -> None:
    """Press Allow, and come to a page of the app."""
    person.context.route("https://photos.example/**", lambda route: route.fulfill(body="Photos"))
    person.press("consent-allow")
    person.tab.wait_for_url("https://photos.example/**")


def lose_cookies(person: Person) -> None:
    person.context.clear_cookies()


def use_another_account(person: Person) -> None:
    person.tab.click("details:has(#login-form) > summary")


CHOICE = walk(sign_in, asked_by(prompt="select_account"))
PERSONAL = "openid profile email address phone offline_access"

SIGNING_IN: dict[str, Way] = {
    "sign in": at("/login"),
    "sign in for an app": asked_by(),
    "sign in that failed": wrong_password,
    "sign in with a choice": CHOICE,
    "sign in with a choice that failed": walk(CHOICE, use_another_account, wrong_password),
    "consent": walk(asked_by(scope=PERSONAL, prompt="consent"), sign_in),
    "form post": walk(asked_by(response_mode="form_post", prompt="consent"), sign_in, press("consent-allow")),
    "sign out": signed_in_at("/logout"),
    "signed out": at("/logged-out?client_id=web"),
    "unregistered address": asked_by(redirect_uri="https://evil.example/"),
    "request that ended": at("/login?transaction=gone"),
    "stale form": at("/login", lose_cookies, sign_in),
    "no such page": at("/nowhere"),
    **mailed.PAGES,
}
IN_THE_ACCOUNT: dict[str, Way] = {
    "sign in once more": signed_in_at("/login?then=/account/data&prompt=login"),
    **{f"account{path}": signed_in_at(f"/account{path}") for path in account_pages.PATHS},
    "account/apps with an app": walk(asked_by(prompt="consent"), sign_in, allow_and_arrive, at("/account/apps")),
    "account/profile that failed": signed_in_at(
        "/account/profile", fill(profile_birthdate="soon"), press("profile-submit")
    ),
    "accounts API": at("/api"),
    **stepped.PAGES,
    **stepped.PAGES,
}
PAGES = SIGNING_IN | IN_THE_ACCOUNT
