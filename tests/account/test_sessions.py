"""The browsers that are signed in: what the page tells of them, and how they are ended."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from oidc_server import sessions
from tests import flows
from tests.flows import Browser, Clock

from .forms import account_of, send, token_of

PATH = "/account/sessions"
END, END_OTHERS = f"{PATH}/end", f"{PATH}/end-others"


def sids_of(app: Flask, username: str = "alice") -> list[str]:
    account = account_of(app, username)
    with app.app_context():
        return [session.sid for session in sessions.store.list_for(account.id)]


def offered(browser: Browser) -> list[str]:
    return re.findall(r'name="sid" value="([^"]+)"', browser.get(PATH).text)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_each_is_told_in_words_with_its_network_and_this_one_is_marked(alice: Browser, phone: Browser) -> None:
    text = alice.get(PATH).text
    assert "Safari on iPhone" in text
    assert "Network 203.0.113.x" in text
    assert "203.0.113.9" not in text, "a place, no address"
    assert text.count("This device") == 1
    assert text.index("This device") < text.index("Safari on iPhone"), "this one comes first"
    assert len(offered(alice)) == 1, "this one is ended by signing out"


def test_times_are_relative_and_exact(alice: Browser, phone: Browser, clock: Clock) -> None:
    clock.advance(2 * 3600)
    text = alice.get(PATH).text
    assert re.search(
        r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" title="[^"]+\d{4}[^"]*">2 hours ago</time>', text
    )


def test_a_browser_that_is_ended_is_signed_out_with_its_apps_and_no_other(
    app: Flask, alice: Browser, phone: Browser, bob: Browser
) -> None:
    here = alice.obtain_tokens(scope="openid")
    there = phone.obtain_tokens(scope="openid", client_id="other")
    assert "can keep" not in alice.get(PATH).text
    done = send(alice, PATH, END)
    assert (done.status_code, done.location) == (303, PATH)
    assert "That browser is signed out." in alice.get(PATH).text
    assert not is_signed_in(phone)
    assert is_signed_in(alice) and is_signed_in(bob)
    assert flows.refresh(app, there["refresh_token"], client_id="other").status_code == 400
    assert flows.introspect(app, there["access_token"], client_id="other") == {"active": False}
    assert flows.refresh(app, here["refresh_token"]).status_code == 200


def test_what_keeps_access_while_the_person_is_away_stays(app: Flask, alice: Browser, phone: Browser) -> None:
    kept = phone.obtain_tokens(scope="openid offline_access")
    send(alice, PATH, END)
    assert flows.refresh(app, kept["refresh_token"]).status_code == 200


def test_all_others_end_at_once(app: Flask, alice: Browser, phone: Browser, bob: Browser) -> None:
    third = Browser(app)
    third.sign_in("alice")
    there = third.obtain_tokens(scope="openid")
    done = send(alice, PATH, END_OTHERS)
    assert (done.status_code, done.location) == (303, PATH)
    assert not is_signed_in(phone) and not is_signed_in(third)
    assert is_signed_in(alice) and is_signed_in(bob)
    assert flows.refresh(app, there["refresh_token"]).status_code == 400
    assert END_OTHERS not in alice.get(PATH).text, "there is nothing left to end"


def test_the_session_of_somebody_else_is_as_unknown_as_none(
    app: Flask, alice: Browser, phone: Browser, bob: Browser
) -> None:
    fields = token_of(alice, PATH, END)
    [foreign] = sids_of(app, "bob")
    answers = [alice.post(END, data=fields | {"sid": sid}) for sid in (foreign, "no-such-session", "x" * 5000)]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, PATH)}
    assert is_signed_in(bob)
    assert is_signed_in(phone)


def test_this_session_is_not_ended_by_its_own_identifier(app: Flask, alice: Browser, phone: Browser) -> None:
    fields = token_of(alice, PATH, END)
    [own] = set(sids_of(app)) - {fields["sid"]}
    assert alice.post(END, data=fields | {"sid": own}).status_code == 400
    assert is_signed_in(alice)


def test_a_session_past_its_end_is_not_shown(alice: Browser, phone: Browser, app: Flask, clock: Clock) -> None:
    clock.advance(8 * 3600 + 1)
    fresh = Browser(app)
    fresh.sign_in("alice")
    assert offered(fresh) == []


@pytest.mark.row("LS-05")
def test_what_was_ended_and_by_whom_is_in_the_log(
    alice: Browser, phone: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="oidc_server.audit")
    caplog.clear()
    send(alice, PATH, END)
    [line] = [record.getMessage() for record in caplog.records if "session.ended" in record.getMessage()]
    assert '"by":"person"' in line and '"account_id"' in line and '"sid"' in line
