"""The whole way, in one process: an app sends Alice, she signs in and allows it, it gets tokens, an API checks them, she signs out."""

from __future__ import annotations

from flask import Flask

from tests import flows
from tests.flows import Browser


def test_the_whole_way(app: Flask, browser: Browser) -> None:
    page = browser.authorize(
        scope="openid profile email photos:read offline_access", resource="https://api.photos.example/"
    )
    assert page.status_code == 200
    assert 'id="login-form"' in page.text
    assert "The web app" in page.text

    page = browser.submit(page, username="alice", password="correct horse battery staple")
    assert 'id="consent-allow"' in page.text
    assert "See your photos" in page.text

    response = browser.submit(page, decision="allow")
    assert response.status_code == 303
    assert response.location.startswith("https://photos.example/callback?")
    answer = flows.answer_of(response)
    assert answer["state"] == "a-state"
    assert answer["iss"] == "https://id.example.test"

    response = flows.redeem(app, answer["code"])
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"] == "photos:read"
    access = flows.claims_of(tokens["access_token"])
    assert access["aud"] == "https://api.photos.example/"
    assert flows.header_of(tokens["access_token"])["typ"] == "at+jwt"
    identity = flows.claims_of(tokens["id_token"])
    assert identity["nonce"] == "a-nonce"
    assert identity["aud"] == "web"
    assert "name" not in identity

    assert flows.introspect(app, tokens["access_token"])["active"] is True
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401, "meant for the API, not for UserInfo"

    refreshed = flows.refresh(app, tokens["refresh_token"], resource="https://id.example.test/userinfo")
    assert refreshed.status_code == 200, refreshed.text
    person = flows.userinfo(app, refreshed.json["access_token"])
    assert person.json["name"] == "Alice Liddell"
    assert person.json["sub"] == identity["sub"]

    assert flows.post_as(app, "/revoke", token=refreshed.json["refresh_token"]).status_code == 200
    assert flows.introspect(app, tokens["access_token"]) == {"active": False}
    assert flows.refresh(app, refreshed.json["refresh_token"]).json["error"] == "invalid_grant"

    response = browser.get(
        f"/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri=https://photos.example/bye&state=x"
    )
    assert response.status_code == 303
    assert response.location == "https://photos.example/bye?state=x"
    assert 'id="login-form"' in browser.authorize().text
