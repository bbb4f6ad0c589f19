"""An app that asks for more than the session has: acr_values, an essential acr, max_age. OIDC Core §3.1.2.1, §5.5.1.1."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from ..flows import Browser, Clock, answer_of, claims_of, redeem
from .conftest import PASSWORD, Phone, form_with, give_phone, submit

ESSENTIAL_2 = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2"]}}})


def id_token(app: Flask, browser: Browser, response: TestResponse) -> dict[str, Any]:
    """The claims of the ID token that this answer leads to, with consent if it is asked for."""
    if 'id="consent-allow"' in response.text:
        response = browser.submit(response, decision="allow")
    assert response.status_code == 303, response.text
    tokens = redeem(app, answer_of(response)["code"]).json or {}
    return claims_of(tokens["id_token"])


@pytest.mark.row("SE-10")
def test_a_session_from_before_the_factor_goes_to_the_factor_page_and_not_to_the_password(
    app: Flask, alice: Browser
) -> None:
    first = id_token(app, alice, alice.authorize(scope="openid"))
    assert (first["acr"], first["amr"]) == ("1", ["pwd"])
    phone = give_phone(app)
    page = alice.authorize(scope="openid")
    assert page.request.path == "/login/second-factor" and 'id="password"' not in page.text
    raised = id_token(app, alice, submit(alice, page, "second-factor-form", code=phone.code()))
    assert (raised["acr"], raised["amr"]) == ("2", ["pwd", "otp", "mfa"])
    # One session, raised: its name and the time of the password stay.
    assert (raised["sid"], raised["auth_time"]) == (first["sid"], first["auth_time"])
    assert id_token(app, alice, alice.authorize(scope="openid"))["acr"] == "2"


@pytest.mark.row("SE-02")
def test_raising_a_session_gives_it_a_new_cookie_and_ends_the_old_one(app: Flask, alice: Browser) -> None:
    old = alice.client.get_cookie("__Host-oidc_session", "id.example.test")
    phone = give_phone(app)
    submit(alice, alice.authorize(scope="openid"), "second-factor-form", code=phone.code())
    new = alice.client.get_cookie("__Host-oidc_session", "id.example.test")
    assert old is not None and new is not None and new.value != old.value
    thief = Browser(app)
    thief.client.set_cookie("__Host-oidc_session", old.value, domain="id.example.test", secure=True)
    assert thief.get("/account").status_code == 303


@pytest.mark.row("SE-10")
@pytest.mark.spec("OIDC Core §3.1.2.6")
def test_without_asking_a_session_that_is_too_weak_gets_login_required(app: Flask, alice: Browser) -> None:
    give_phone(app)
    assert answer_of(alice.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.spec("OIDC Core §5.5.1.1")
def test_an_essential_acr_without_asking_is_refused_and_never_claimed(app: Flask, alice: Browser) -> None:
    alice.obtain_code(scope="openid")
    answer = answer_of(alice.authorize(prompt="none", scope="openid", claims=ESSENTIAL_2))
    assert answer["error"] == "login_required" and "code" not in answer


@pytest.mark.spec("OIDC Core §5.5.1.1")
def test_an_essential_acr_leads_a_person_without_a_factor_to_set_one_up(app: Flask, browser: Browser) -> None:
    page = browser.authorize(scope="openid", claims=ESSENTIAL_2)
    page = submit(browser, page, "login-form", username="alice", password=PASSWORD)
    assert page.request.path == "/login/second-factor/new"


@pytest.mark.row("SE-09")
@pytest.mark.spec("OIDC Core §5.5.1.1")
def test_a_person_who_is_signed_in_proves_the_password_again_before_setting_a_factor_up(alice: Browser) -> None:
    page = alice.authorize(scope="openid", claims=ESSENTIAL_2)
    assert page.request.path == "/login"
    page = submit(alice, page, "login-form", username="alice", password=PASSWORD)
    assert page.request.path == "/login/second-factor/new"


@pytest.mark.spec("OIDC Core §5.5.1.1")
@pytest.mark.parametrize("enrolled", [True, False])
def test_a_person_who_stops_at_an_essential_factor_leaves_the_request_unmet(
    app: Flask, browser: Browser, enrolled: bool
) -> None:
    if enrolled:
        give_phone(app)
    page = browser.authorize(scope="openid", claims=ESSENTIAL_2)
    page = submit(browser, page, "login-form", username="alice", password=PASSWORD)
    action, fields = form_with(page, "second-factor-form" if enrolled else "new-factor-form")
    answer = answer_of(browser.follow(browser.post(action, data=fields | {"action": "cancel"})))
    assert answer["error"] == "unmet_authentication_requirements" and "code" not in answer


@pytest.mark.spec("OIDC Core §5.5.1.1")
def test_an_essential_acr_that_nobody_reaches_is_refused_at_once(browser: Browser) -> None:
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:gold", "3"]}}})
    assert answer_of(browser.authorize(scope="openid", claims=claims))["error"] == "unmet_authentication_requirements"


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_voluntary_acr_values_refuse_nobody_and_claim_nothing(app: Flask, alice: Browser) -> None:
    claims = id_token(app, alice, alice.authorize(scope="openid", acr_values="2"))
    assert (claims["acr"], claims["amr"]) == ("1", ["pwd"])


@pytest.mark.spec("OIDC Core §3.1.2.1", "OIDC Core §5.5.1.1")
@pytest.mark.parametrize(
    ("request_", "acr"),
    [
        ({"acr_values": "1"}, "1"),
        ({"acr_values": "1 2"}, "2"),
        ({"acr_values": "2 1"}, "2"),
        ({"acr_values": "urn:unknown"}, "2"),
        ({"claims": json.dumps({"id_token": {"acr": {"essential": True, "value": "1"}}})}, "1"),
        ({"claims": json.dumps({"id_token": {"acr": {"values": ["1"]}}})}, "1"),
        ({"claims": json.dumps({"id_token": {"acr": None}})}, "2"),
        ({"claims": ESSENTIAL_2}, "2"),
    ],
)
def test_the_acr_is_one_that_was_asked_for_and_reached(
    app: Flask, alice: Browser, request_: dict[str, str], acr: str
) -> None:
    phone = give_phone(app)
    submit(alice, alice.authorize(scope="openid"), "second-factor-form", code=phone.code())
    claims = id_token(app, alice, alice.authorize(scope="openid", **request_))
    assert (claims["acr"], claims["amr"]) == (acr, ["pwd", "otp", "mfa"])


def test_a_request_that_was_posted_asks_for_the_same(app: Flask, browser: Browser) -> None:
    from ..flows import request_of

    page = browser.follow(browser.post("/authorize", data=request_of(scope="openid", claims=ESSENTIAL_2)))
    page = submit(browser, page, "login-form", username="alice", password=PASSWORD)
    assert page.request.path == "/login/second-factor/new"


@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_fresh_sign_in_asks_for_the_password_and_the_factor(
    app: Flask, alice: Browser, clock: Clock, demand: dict[str, str]
) -> None:
    phone = give_phone(app)
    submit(alice, alice.authorize(scope="openid"), "second-factor-form", code=phone.code())
    clock.advance(60)
    page = alice.authorize(scope="openid", **demand)
    assert page.request.path == "/login"
    page = submit(alice, page, "login-form", username="alice", password=PASSWORD)
    assert page.request.path == "/login/second-factor"
    claims = id_token(app, alice, submit(alice, page, "second-factor-form", code=phone.code()))
    assert claims["acr"] == "2" and claims["auth_time"] == pytest.approx(clock(), abs=5)


def test_a_session_too_old_for_a_factor_alone_needs_the_password_again(
    app: Flask, alice: Browser, clock: Clock
) -> None:
    give_phone(app)
    for _ in range(3):  # she is there every now and then
        clock.advance(7 * 3600)
        alice.get("/account")
    page = alice.authorize(scope="openid")
    assert page.request.path == "/login" and 'id="password"' in page.text


@pytest.mark.row("SE-09")
def test_the_factor_page_of_a_session_that_needs_nothing_leads_on(app: Flask, alice: Browser, phone: Phone) -> None:
    page = alice.authorize(scope="openid")
    _, fields = form_with(page, "second-factor-form")
    submit(alice, page, "second-factor-form", code=phone.code())
    again = alice.get(f"/login/second-factor?transaction={fields['transaction']}")
    assert again.status_code == 303 and again.location.startswith("/authorize?transaction=")


@pytest.mark.row("SE-09")
def test_somebody_elses_code_does_not_raise_a_session(app: Flask, alice: Browser, phone: Phone) -> None:
    bobs = give_phone(app, "bob")
    page = submit(alice, alice.authorize(scope="openid"), "second-factor-form", code=bobs.code())
    assert page.status_code == 401
    assert answer_of(alice.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.spec("OIDC Discovery §3")
def test_discovery_names_the_acr_values(browser: Browser) -> None:
    metadata = browser.get("/.well-known/openid-configuration").json or {}
    assert metadata["acr_values_supported"] == ["1", "2"]
