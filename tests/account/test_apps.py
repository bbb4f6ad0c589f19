"""Connected apps: what each may do, since when, and an end to it at once (row CO-05)."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server import consents
from tests import flows
from tests.conftest import API
from tests.flows import Browser, Clock

from .forms import account_of, hidden_fields, send, token_of

PATH = "/account/apps"
REMOVE = f"{PATH}/remove"


def remove(browser: Browser, client_id: str = "web"):  # type: ignore[no-untyped-def]
    return send(browser, PATH, REMOVE, pick={"client_id": client_id})


def test_an_app_is_told_with_what_it_may_do_since_when_and_used_when(alice: Browser, clock: Clock) -> None:
    assert "No app is connected" in alice.get(PATH).text
    tokens = alice.obtain_tokens(scope="openid email offline_access photos:read", resource=API)
    clock.advance(3 * 86400)
    flows.refresh(alice.app, tokens["refresh_token"])
    alice.sign_in()
    text = alice.get(PATH).text
    for told in (
        "The web app",
        "photos.example",
        "See your e-mail address",
        "See your photos",
        "Keep access while you are away",
        ">3 days ago</time>",
        ">just now</time>",
    ):
        assert told in text
    assert "See your postal address" not in text
    assert "The other app" not in text


@pytest.mark.row("CO-05")
@pytest.mark.parametrize("scope", ["openid email", "openid email offline_access"])
def test_removing_an_app_ends_every_token_of_it_and_the_consent(
    app: Flask, alice: Browser, phone: Browser, scope: str
) -> None:
    families = [browser.obtain_tokens(scope=scope) for browser in (alice, phone)]
    kept = alice.obtain_tokens(scope=scope, client_id="other")
    done = remove(alice)
    assert (done.status_code, done.location) == (303, PATH)
    for tokens in families:
        assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
        assert flows.introspect(app, tokens["access_token"], client_id="web") == {"active": False}
        assert flows.userinfo(app, tokens["access_token"]).status_code == 401
    assert flows.refresh(app, kept["refresh_token"], client_id="other").status_code == 200
    text = alice.get(PATH).text
    assert "The app has no access any more." in text
    assert "The web app" not in text and "The other app" in text
    assert 'id="consent-allow"' in alice.authorize(scope=scope).text, "the app has to ask again"


@pytest.mark.row("CO-05")
def test_a_code_on_its_way_dies_with_the_app(app: Flask, alice: Browser) -> None:
    alice.obtain_tokens(scope="openid")
    code = alice.obtain_code(scope="openid")
    remove(alice)
    tokens = flows.redeem(app, code)
    assert tokens.status_code == 400, tokens.json


def test_nobody_removes_the_app_of_another_person(app: Flask, alice: Browser, bob: Browser) -> None:
    hers = alice.obtain_tokens(scope="openid email")
    bob.submit(bob.authorize(scope="openid", client_id="other"), decision="allow")
    fields = token_of(bob, PATH, REMOVE)
    for client_id in ("web", "no-such-app", "x" * 5000):
        assert bob.post(REMOVE, data=fields | {"client_id": client_id}).status_code == 404
    assert flows.refresh(app, hers["refresh_token"]).status_code == 200
    with app.app_context():
        assert [consent.client_id for consent in consents.list_for(account_of(app, "alice").id)] == ["web"]


def test_an_app_that_nobody_was_asked_about_is_shown_and_removed_too(app: Flask, alice: Browser) -> None:
    with app.app_context():
        from oidc_server.clients import store as clients

        clients.update("web", {}, is_trusted=True)
    tokens = alice.obtain_tokens(scope="openid")
    assert "The web app" in alice.get(PATH).text
    remove(alice)
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
    assert "The web app" not in alice.get(PATH).text


def test_an_app_of_which_nothing_lives_is_not_shown(app: Flask, alice: Browser, clock: Clock) -> None:
    with app.app_context():
        from oidc_server.clients import store as clients

        clients.update("web", {}, is_trusted=True)
    alice.obtain_tokens(scope="openid")
    clock.advance(100 * 86400)
    alice.sign_in()
    assert "No app is connected" in alice.get(PATH).text


@pytest.mark.row("WB-02")
def test_the_name_of_an_app_is_text(app: Flask, alice: Browser) -> None:
    with app.app_context():
        from oidc_server.clients import store as clients

        clients.update("web", {"client_name": '"><script>alert(1)</script>'})
    alice.obtain_tokens(scope="openid")
    text = alice.get(PATH).text
    assert "<script>alert" not in text
    assert hidden_fields(alice.get(PATH), REMOVE)["client_id"] == "web"


def test_the_consent_page_leads_to_where_access_is_removed(alice: Browser) -> None:
    text = alice.authorize(scope="openid offline_access").text
    assert '<a href="/account/apps">Until you remove it in your account</a>' in text


def test_allowing_the_same_again_does_not_make_the_connection_younger(app: Flask, alice: Browser, clock: Clock) -> None:
    alice.obtain_tokens(scope="openid offline_access")
    account = account_of(app)
    with app.app_context():
        [before] = consents.list_for(account.id)
    clock.advance(3600)
    alice.obtain_tokens(scope="openid offline_access")
    with app.app_context():
        [after] = consents.list_for(account.id)
    assert after.granted_at == before.granted_at
