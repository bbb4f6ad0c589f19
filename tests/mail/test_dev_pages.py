"""/dev/mails: what a developer without a mail server reads, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from oidc_server import mail
from oidc_server.database import now, transact
from oidc_server.mail import delivery, store

from ..flows import Browser
from ..pages.samples import Page
from .conftest import LINK, send_reset


def test_the_newest_mail_comes_first(app: Flask, browser: Browser, clock: object) -> None:
    with app.app_context():
        for number in range(3):
            send_reset(f"person{number}@example.test")
            clock.advance(60)  # type: ignore[attr-defined]
    page = browser.get("/dev/mails")
    assert page.status_code == 200
    places = [page.text.index(f"person{number}@example.test") for number in (2, 1, 0)]
    assert places == sorted(places)
    assert "development" in page.text


def test_a_mail_is_shown_as_text_with_its_link_to_click(app: Flask, browser: Browser) -> None:
    with app.app_context():
        send_reset()
        (found,) = store.newest(1)
    listed = Page(browser.get("/dev/mails").text)
    (way,) = [element.get("href") for element in listed.elements if element.get("href") == f"/dev/mails/{found.id}"]
    shown = browser.get(way)
    assert f'<a href="{LINK}">{LINK}</a>' in shown.text
    assert "1234 5678" in shown.text
    assert "Set a new password" in shown.text
    assert "development" in shown.text
    Page(shown.text)


def test_only_links_to_this_server_can_be_clicked_and_words_stay_words(app: Flask, browser: Browser) -> None:
    with app.app_context():
        device = 'https://evil.example/<b>"x'
        values = {"device": device, "at": now(), "network": None, "language": "en"}
        transact(lambda: mail.send("new_device", "alice@example.test", **values))
        (found,) = store.newest(1)
    page = browser.get(f"/dev/mails/{found.id}")
    assert 'href="https://evil' not in page.text
    assert "https://evil.example/&lt;b&gt;&#34;x" in page.text


def test_a_page_of_mails_has_no_script_and_is_never_stored(app: Flask, browser: Browser) -> None:
    with app.app_context():
        send_reset()
        (found,) = store.newest(1)
    for path in ("/dev/mails", f"/dev/mails/{found.id}"):
        page = browser.get(path)
        assert "<script" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.row("RC-08", "WB-10")
def test_looking_changes_nothing(app: Flask, browser: Browser) -> None:
    with app.app_context():
        send_reset()
        before = described()
    browser.get("/dev/mails")
    assert browser.client.head("/dev/mails", base_url="https://id.example.test").status_code == 200
    with app.app_context():
        assert described() == before


def test_what_was_delivered_says_that_it_was_wiped(mailer: Flask) -> None:
    send_reset()
    delivery.deliver_due()
    (found,) = store.newest(1)
    page = Browser(mailer).get(f"/dev/mails/{found.id}")
    assert 'id="mail-wiped"' in page.text
    assert LINK not in page.text


@pytest.mark.parametrize("path", ["/dev/mails/unknown", "/dev/mails/" + "0" * 32, "/dev/mails/x/y"])
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    page = browser.get(path)
    assert page.status_code == 404


def test_an_empty_outbox_says_so(browser: Browser) -> None:
    assert "No mails yet." in browser.get("/dev/mails").text


@pytest.mark.parametrize(
    "settings",
    [
        {"environment": "production", "bcrypt_cost": 10},
        # Development is the default: a public server that nobody called production must not show its links either.
        {"environment": "development", "bcrypt_cost": 10},
    ],
    ids=["production", "development under a public name"],
)
@pytest.mark.row("FT-24")
def test_a_server_for_people_has_no_such_pages(make_app: Callable[..., Flask], settings: dict[str, object]) -> None:
    app = make_app(**settings)
    with app.app_context():
        send_reset()
        (found,) = store.newest(1)
    for path in ("/dev/mails", f"/dev/mails/{found.id}"):
        assert Browser(app).get(path).status_code == 404


def test_a_developers_machine_has_them(make_app: Callable[..., Flask]) -> None:
    app = make_app(environment="development", bcrypt_cost=10, issuer="http://localhost:8000")
    assert Browser(app).get("/dev/mails").status_code == 200


def described() -> list[tuple[object, ...]]:
    return [(found.id, found.state, found.sealed, found.attempts, found.due_at) for found in store.newest(10)]
