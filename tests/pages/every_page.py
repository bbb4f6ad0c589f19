"""Every page that a person can meet, and how one comes to it: a line each. What is added here is checked in every language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import account_pages, mailed, stepped
from .served import Person

Way = Callable[[Person], object]


def at(path: str) -> Way:
    """The page of an address that anybody may open."""
    return lambda person: person.open(path)


def signed_in_at(path: str) -> Way:
    """The page of an address for people who are signed in."""

    def walk(person: Person) -> None:
        person.sign_in()
        person.open(path)

    return walk


def asked_by(client_id: str = "web", **parameters: Any) -> Way:
    """What the person sees whom an app sends here."""
    return lambda person: person.authorize(client_id=client_id, **parameters)


def consent(**parameters: Any) -> Way:
    def walk(person: Person) -> None:
        person.authorize(scope="openid profile email address phone offline_access", **parameters)
        person.sign_in()

    return walk


def failed(person: Person) -> None:
    person.sign_in(password="wrong horse battery staple")


def choice(person: Person) -> None:
    person.sign_in()
    person.authorize(prompt="select_account")


def choice_that_failed(person: Person) -> None:
    choice(person)
    person.tab.click("details:has(#login-form) > summary")
    person.sign_in(password="wrong horse battery staple")


def form_post(person: Person) -> None:
    person.authorize(response_mode="form_post", prompt="consent")
    person.sign_in()
    person.press("consent-allow")


def stale_form(person: Person) -> None:
    person.open("/login")
    person.context.clear_cookies()
    person.sign_in()


PAGES: dict[str, Way] = {
    "sign in": at("/login"),
    "sign in for an app": asked_by(),
    "sign in that failed": failed,
    "sign in with a choice": choice,
    "sign in with a choice that failed": choice_that_failed,
    "consent": consent(),
    "consent again": consent(prompt="consent"),
    "form post": form_post,
    "sign out": signed_in_at("/logout"),
    "signed out": at("/logged-out?client_id=web"),
    "unknown app": asked_by("nobody"),
    "unregistered address": asked_by(redirect_uri="https://evil.example/"),
    "request that ended": at("/login?transaction=gone"),
    "stale form": stale_form,
    "no such page": at("/nowhere"),
    **{f"account{path}": signed_in_at(f"/account{path}") for path in account_pages.PATHS},
    **mailed.PAGES,
    **stepped.PAGES,
}
