"""The person's own lines of the audit log, page by page."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from oidc_server import activity, audit
from oidc_server.account.activity import PAGE
from tests.conftest import PASSWORD
from tests.flows import Browser, Clock

from .forms import account_of

PATH = "/account/activity"


def told(browser: Browser, path: str = PATH) -> list[str]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", browser.get(path).text.partition("<tbody>")[2], re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def older(browser: Browser, path: str = PATH) -> str | None:
    found = re.search(r'id="activity-older"[^>]* href="([^"]+)"', browser.get(path).text)
    return found[1] if found else None


@pytest.mark.row("LS-05")
def test_signing_in_failing_to_and_allowing_an_app_are_told_with_where_and_when(
    app: Flask, alice: Browser, clock: Clock
) -> None:
    stranger = Browser(app)
    stranger.client.environ_base |= {
        "REMOTE_ADDR": "198.51.100.20",
        "HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0",
    }
    for _ in range(3):
        clock.advance(60)
        stranger.submit(stranger.get("/login"), username="ALICE@example.test", password="wrong")
    clock.advance(3600)
    alice.obtain_tokens(scope="openid")
    rows = told(alice)
    assert rows[0].startswith("Allowed an app : The web app") and rows[0].endswith("just now")
    assert rows[1] == "Sign-in with a wrong password 3 times Firefox on Windows Network 198.51.100.x an hour ago"
    assert rows[2].startswith("Signed in ")
    assert len(rows) == 3


def test_nobody_sees_what_happened_to_others(app: Flask, alice: Browser, bob: Browser) -> None:
    before = told(alice)
    bob.submit(bob.get("/login?prompt=login"), username="bob", password="wrong")
    nobody = Browser(app)
    nobody.submit(nobody.get("/login"), username="nobody-here", password=PASSWORD)
    assert told(alice) == before
    assert len(told(bob)) == 2


def test_there_are_pages_and_each_line_is_on_one_of_them(app: Flask, alice: Browser, clock: Clock) -> None:
    account = account_of(app)
    for n in range(2 * PAGE + 3):
        clock.advance(1 if n % 3 else 0)  # some happen at the same moment
        with app.app_context():
            audit.record(audit.CONSENT_GIVEN, account_id=account.id, client_id=f"app-{n}")
    seen: list[str] = []
    path: str | None = PATH
    pages = 0
    while path is not None:
        found = [row.partition(" : ")[2].split()[0] for row in told(alice, path) if "Allowed" in row]
        assert len(told(alice, path)) <= PAGE
        seen += found
        pages += 1
        path = older(alice, path)
    assert pages == 3
    assert sorted(seen) == sorted(f"app-{n}" for n in range(2 * PAGE + 3))


@pytest.mark.row("EN-08")
def test_the_line_of_somebody_else_is_no_place_to_begin(app: Flask, alice: Browser, bob: Browser) -> None:
    with app.app_context():
        [foreign] = activity.list_for(account_of(app, "bob").id, 1)
    for before in (foreign.id, "unknown", "'; --", "x" * 5000):
        page = alice.get(PATH, query_string={"before": before})
        assert page.status_code == 200
        assert "There is nothing older." in page.text
        assert "<tbody>" not in page.text


def test_what_is_older_than_90_days_is_not_told(alice: Browser, app: Flask, clock: Clock) -> None:
    clock.advance(90 * 86400 + 1)
    fresh = Browser(app)
    fresh.sign_in()
    assert len(told(fresh)) == 1


def test_every_kind_is_told_in_words_with_an_icon(alice: Browser, app: Flask) -> None:
    account = account_of(app)
    with app.app_context():
        for event in activity.EVENTS:
            audit.record(event, account_id=account.id)
    text = alice.get(PATH).text + alice.get(older(alice) or "").text
    for kind in activity.EVENTS.values():
        assert kind.sentence.replace("'", "&#39;") in text
