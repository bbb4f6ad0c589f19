"""\"This was not me\": everything ends at once, and a new password comes next."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server import consents
from oidc_server.accounts import throttle
from tests import flows
from tests.conftest import PASSWORD
from tests.flows import Browser

from .forms import account_of, send

PATH = "/account/secure"


@pytest.mark.row("SE-07", "CO-05", "RC-06")
def test_every_session_app_consent_and_known_browser_ends_and_a_new_password_is_next(
    app: Flask, alice: Browser, phone: Browser, bob: Browser
) -> None:
    held = [
        alice.obtain_tokens(scope="openid"),
        phone.obtain_tokens(scope="openid offline_access"),
    ]
    his = bob.submit(bob.authorize(scope="openid"), decision="allow")
    code = flows.answer_of(his)["code"]
    done = send(phone, PATH)
    assert (done.status_code, done.location) == (303, "/login?then=/account/password")
    for browser in (alice, phone):
        assert browser.get("/account").status_code == 303
    for tokens in held:
        assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
        assert flows.userinfo(app, tokens["access_token"]).status_code == 401
        assert flows.introspect(app, tokens["access_token"], client_id="web") == {"active": False}
    account = account_of(app)
    with app.app_context():
        assert consents.list_for(account.id) == []
        assert throttle.devices_of(account.id) == []
    page = phone.submit(phone.get(done.location), follow=False, username="alice", password=PASSWORD)
    assert (page.status_code, page.location) == (303, "/account/password")
    assert "Signed out everywhere" in phone.get("/account/activity").text
    assert bob.get("/account").status_code == 200
    assert flows.redeem(app, code).status_code == 200


@pytest.mark.row("SE-07")
def test_a_code_on_its_way_is_worth_nothing_any_more(app: Flask, alice: Browser, phone: Browser) -> None:
    code = phone.obtain_code(scope="openid offline_access")
    send(alice, PATH)
    assert flows.redeem(app, code).status_code == 400


def test_looking_at_the_page_ends_nothing(alice: Browser, phone: Browser) -> None:
    alice.get(PATH)
    assert phone.get("/account").status_code == 200


@pytest.mark.parametrize("page", ["", "/activity", "/sessions"])
def test_the_way_to_it_is_where_people_see_what_they_do_not_know(alice: Browser, page: str) -> None:
    assert 'href="/account/secure"' in alice.get(f"/account{page}").text
