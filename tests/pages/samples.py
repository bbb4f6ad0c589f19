"""Every page with the values that views give it, in each of its states."""

from __future__ import annotations

from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from flask import Flask, render_template, request

from oidc_server import edge

from ..ground import ISSUER

ALICE = SimpleNamespace(username="alice", email="alice@example.test", claims={"name": "Alice Liddell"})
SCOPES = [
    {"name": "profile", "title": "See your name and picture", "value": "Alice Liddell", "icon": "profile"},
    {"name": "photos:read", "title": "See your photos", "value": None, "icon": "key"},
]


def app_of_strangers(**changes: Any) -> SimpleNamespace:
    """What pages read of a client."""
    return SimpleNamespace(
        **{
            "client_id": "web",
            "client_name": "Photo Harbour",
            "display_host": "photos.example",
            "client_uri": "https://photos.example/",
            "logo_uri": "https://photos.example/logo.png",
            "policy_uri": "https://photos.example/privacy",
            "tos_uri": "https://photos.example/terms",
        }
        | changes
    )


def sign_in(**changes: Any) -> tuple[str, dict[str, Any]]:
    values = {"client": app_of_strangers(), "transaction": "t-1", "username": "", "failed": False, "wait": None}
    return "login/sign_in.html", values | {"account": None, "cancel_available": True} | changes


def consent(**changes: Any) -> tuple[str, dict[str, Any]]:
    values = {"client": app_of_strangers(), "account": ALICE, "scopes": SCOPES, "redirect_host": "photos.example"}
    values |= {"access_until": "Access lasts until you sign out here.", "transaction": "t-1", "approval": "a-1"}
    return "authorize/consent.html", values | changes


def form_post(**changes: Any) -> tuple[str, dict[str, Any]]:
    values = {"action": "https://photos.example/callback", "params": [("code", "c-1"), ("state", "s-1")]}
    return "authorize/form_post.html", values | changes


def error(**changes: Any) -> tuple[str, dict[str, Any]]:
    values = {"title": "This sign-in link cannot be used", "explanation": "Nothing was sent to it.", "status": 400}
    values |= {"next_step": "Go back to the app and try again.", "reference": "7F3K-Q2MD", "error": "invalid_request"}
    return "error.html", values | {"developer": "The redirect_uri is not registered."} | changes


def confirm(**changes: Any) -> tuple[str, dict[str, Any]]:
    values = {"client": app_of_strangers(), "account": ALICE, "fields": [("client_id", "web"), ("state", "s-1")]}
    return "logout/confirm.html", values | changes


LONG = SimpleNamespace(username="a" * 64, email=f"{'a' * 64}@{'b' * 60}.example.test", claims={"name": "Aa" * 60})
LONG_APP = app_of_strangers(client_name="Donaudampfschifffahrt" * 9, display_host=f"{'c' * 60}.example", logo_uri=None)

PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "sign in": sign_in(),
    "sign in without an app": sign_in(client=None, transaction=None, cancel_available=False),
    "sign in that failed": sign_in(username="alice@example.test", failed=True),
    "sign in that must wait": sign_in(username="alice@example.test", wait=45),
    "sign in with a choice": sign_in(account=ALICE),
    "sign in with a choice that failed": sign_in(account=ALICE, username="bob", failed=True),
    "consent": consent(),
    "consent for an app on this device": consent(redirect_host="127.0.0.1:49152", access_until=None),
    "consent with long names": consent(client=LONG_APP, account=LONG, redirect_host=LONG_APP.display_host),
    "choice with long names": sign_in(client=LONG_APP, account=LONG),
    "form post": form_post(),
    "error": error(),
    "error with nothing to add": error(developer=None, error="server_error", status=500),
    "sign out": confirm(),
    "sign out without an app": confirm(client=None, fields=[]),
    "signed out": ("logout/logged_out.html", {"client": app_of_strangers()}),
    "signed out without an app": ("logout/logged_out.html", {"client": None}),
}


def render(app: Flask, page: tuple[str, dict[str, Any]]) -> str:
    template, values = page
    with app.test_request_context(base_url=ISSUER):
        return render_template(template, **values)


def policy_of(app: Flask, page: tuple[str, dict[str, Any]]) -> str:
    """The policy that a view of this page would answer with."""
    template, values = page
    with app.test_request_context("/login", base_url=ISSUER):
        response = app.make_response(render_template(template, **values))
        app.process_response(response)
        return dict(request.environ[edge.MORE])["Content-Security-Policy"]  # type: ignore[no-any-return]


class Element:
    """A start tag with its attributes, the text within it, and the elements around it."""

    def __init__(self, tag: str, attributes: dict[str, str], parents: list[Element]) -> None:
        self.tag, self.attributes, self.parents = tag, attributes, parents
        self.text = ""

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")


class Page(HTMLParser):
    """A page as its elements; raises AssertionError when tags are not nested as they should be."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes nothing"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = attributes.items()
        return [
            element for element in self.elements if element.tag == tag and all(element.get(n) == v for n, v in wanted)
        ]

    def by_id(self, identifier: str) -> Element:
        found = [element for element in self.elements if element.get("id") == identifier]
        assert len(found) == 1, f"{len(found)} elements with id {identifier}"
        return found[0]

    def within(self, outer: Element, tag: str) -> list[Element]:
        return [element for element in self.elements if outer in element.parents and element.tag == tag]


def page_of(app: Flask, page: tuple[str, dict[str, Any]]) -> Page:
    return Page(render(app, page))
