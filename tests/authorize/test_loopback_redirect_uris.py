"""The one exception to comparing strings: an app on the person's own machine chooses its port (RFC 8252 §7.3)."""

from __future__ import annotations

import pytest
from flask import Flask

from tests import flows
from tests.expectations import expect_page, no_effect
from tests.flows import Browser

REGISTERED = ["http://127.0.0.1/cb", "http://[::1]:8000/cb", "http://localhost:9000/cb"]


@pytest.fixture
def person(app: Flask, alice: Browser) -> Browser:
    with app.app_context():
        flows.register("native", token_endpoint_auth_method="none", redirect_uris=REGISTERED)
    return alice


@pytest.mark.row("RU-12")
@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", "http://[::1]/cb", "http://localhost/cb"],
)
def test_another_port_of_a_loopback_address_is_answered_there(app: Flask, person: Browser, uri: str) -> None:
    page = person.authorize(client_id="native", redirect_uri=uri)
    response = person.submit(page, follow=False, decision="allow")
    assert response.location.startswith(f"{uri}?code=")
    code = flows.answer_of(response)["code"]
    assert flows.redeem(app, code, client_id="native", redirect_uri=uri).status_code == 200


@pytest.mark.row("RU-12")
def test_the_port_is_part_of_what_the_token_endpoint_compares(app: Flask, person: Browser) -> None:
    code = person.obtain_code(client_id="native", redirect_uri="http://127.0.0.1:51004/cb")
    assert flows.redeem(app, code, client_id="native", redirect_uri="http://127.0.0.1:51005/cb").status_code == 400


@pytest.mark.row("RU-12", "RU-13")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.1:9/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://0.0.0.0/cb",
        "http://127.0.0.2/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:080/cb",
        "https://127.0.0.1/cb",
        "http://localhost.evil.example/cb",
        "http://LOCALHOST/cb",
    ],
)
def test_nothing_but_the_port_differs(app: Flask, person: Browser, uri: str) -> None:
    with no_effect(app):
        expect_page(person.authorize(follow=False, client_id="native", redirect_uri=uri), "invalid_request")


@pytest.mark.row("RU-12", "RU-13")
def test_web_apps_have_no_such_exception(app: Flask, alice: Browser) -> None:
    with no_effect(app):
        expect_page(alice.authorize(follow=False, redirect_uri="https://photos.example:8443/callback"))
        expect_page(alice.authorize(follow=False, redirect_uri="http://127.0.0.1/callback"))


@pytest.mark.row("RU-14", "RU-15")
def test_a_scheme_of_an_app_is_compared_as_a_string_too(app: Flask, alice: Browser) -> None:
    with app.app_context():
        flows.register("phone", token_endpoint_auth_method="none", redirect_uris=["com.example.app:/cb"])
    page = alice.authorize(client_id="phone", redirect_uri="com.example.app:/cb")
    assert alice.submit(page, follow=False, decision="allow").location.startswith("com.example.app:/cb?code=")
    with no_effect(app):
        for uri in (
            "com.example.app:/cbx",
            "com.example.app://cb",
            "com.example.application:/cb",
            "COM.example.app:/cb",
        ):
            expect_page(alice.authorize(follow=False, client_id="phone", redirect_uri=uri))
