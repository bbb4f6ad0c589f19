"""Who must have a second factor and has none sets one up while signing in; there is no way around it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import factors
from oidc_server.clients import store as clients
from oidc_server.database import transact

from ..flows import Browser, Clock, answer_of, claims_of, redeem, register
from .conftest import (
    PASSWORD,
    account_id,
    form_with,
    give_password,
    give_phone,
    is_signed_in,
    phone_of,
    submit,
)

MakeApp = Callable[..., Flask]


@pytest.fixture
def strict(make_app: MakeApp) -> Flask:
    """A server where everybody needs a second factor."""
    return make_app(second_factor="required")


def set_up(browser: Browser, page: TestResponse) -> TestResponse:
    assert page.request.path == "/login/second-factor/new", page.text
    return submit(browser, page, "new-factor-form", code=phone_of(page).code())


def test_a_person_without_a_factor_sets_one_up_and_is_signed_in_with_two(strict: Flask) -> None:
    browser = Browser(strict)
    codes = set_up(browser, give_password(browser, scope="openid"))
    assert len(set(re.findall(r"<code>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>", codes.text))) == 10
    onwards = re.search(r'id="recovery-codes-kept"[^>]*href="([^"]+)"', codes.text)
    assert onwards
    answer = browser.submit(browser.follow(browser.get(onwards[1])), decision="allow")
    claims = claims_of((redeem(strict, answer_of(answer)["code"]).json or {})["id_token"])
    assert (claims["acr"], claims["amr"]) == ("2", ["pwd", "otp", "mfa"])


def test_the_app_that_was_set_up_is_asked_for_the_next_time(strict: Flask, clock: Clock) -> None:
    browser, other = Browser(strict), Browser(strict)
    page = give_password(browser)
    phone = phone_of(page)
    submit(browser, page, "new-factor-form", code=phone.code())
    assert is_signed_in(browser)
    clock.advance(60)
    asked = give_password(other)
    assert asked.request.path == "/login/second-factor"
    assert submit(other, asked, "second-factor-form", code=phone.code()).request.path == "/account"


@pytest.mark.row("SE-09", "SE-10")
def test_there_is_no_session_before_the_new_factor_is_proven(strict: Flask) -> None:
    browser = Browser(strict)
    page = give_password(browser)
    assert not is_signed_in(browser)
    for path in ("/account", "/account/factors", "/account/password"):
        assert browser.get(path).status_code == 303
    failed = submit(browser, page, "new-factor-form", code="000000")
    assert failed.status_code == 401 and not is_signed_in(browser)
    # The same secret still, so that the app need not be set up again.
    assert phone_of(failed).secret == phone_of(page).secret
    # "Not now", "try another way", an empty step: each stays where it is.
    action, fields = form_with(page, "new-factor-form")
    for form in (fields, fields | {"action": "skip"}, fields | {"code": ""}):
        assert browser.post(action, data=form).status_code == 401
    assert browser.post("/login/second-factor", data=fields | {"code": phone_of(page).code()}).status_code == 303
    assert not is_signed_in(browser)


@pytest.mark.row("SE-09")
def test_somebody_who_has_a_factor_cannot_set_up_another_instead_of_proving_it(app: Flask, browser: Browser) -> None:
    give_phone(app)
    page = give_password(browser)
    _, fields = form_with(page, "second-factor-form")
    assert browser.get(f"/login/second-factor/new?pending={fields['pending']}").location.startswith(
        "/login/second-factor?"
    )
    answer = browser.post("/login/second-factor/new", data=fields | {"code": "123456"})
    assert answer.status_code == 303 and answer.location.startswith("/login/second-factor?")
    assert not is_signed_in(browser)


@pytest.mark.row("SE-09")
def test_a_factor_added_meanwhile_is_asked_for(strict: Flask) -> None:
    browser = Browser(strict)
    page = give_password(browser)
    give_phone(strict)
    answer = submit(browser, page, "new-factor-form", code=phone_of(page).code())
    assert answer.request.path == "/login/second-factor" and not is_signed_in(browser)


def test_cancel_leads_back_and_adds_nothing(strict: Flask) -> None:
    browser = Browser(strict)
    action, fields = form_with(give_password(browser), "new-factor-form")
    assert browser.post(action, data=fields | {"action": "cancel"}).location == "/login"
    assert not is_signed_in(browser)
    with strict.app_context():
        assert factors.of(account_id()) == []


@pytest.mark.row("SE-09")
def test_a_new_factor_is_confirmed_once(strict: Flask) -> None:
    browser = Browser(strict)
    page = give_password(browser)
    phone = phone_of(page)
    action, fields = form_with(page, "new-factor-form")
    assert browser.post(action, data=fields | {"code": phone.code()}).status_code == 200
    again = browser.post(action, data=fields | {"code": phone.code()})
    assert again.status_code == 303 and again.location == "/login?because=ended"
    with strict.app_context():
        assert len(factors.of(account_id())) == 1


def test_a_role_can_require_it(make_app: MakeApp) -> None:
    app = make_app(second_factor_roles=("editor",))  # Alice is one, Bob is not
    alice, bob = Browser(app), Browser(app)
    assert give_password(alice).request.path == "/login/second-factor/new"
    assert give_password(bob, "bob").request.path == "/account"


def test_a_client_can_require_it_for_itself_alone(app: Flask, browser: Browser) -> None:
    with app.app_context():
        register("bank", redirect_uris=["https://bank.example/callback"], require_second_factor=True)
        found = clients.find("bank")
        assert found is not None and found.require_second_factor
    request = {"client_id": "bank", "redirect_uri": "https://bank.example/callback", "scope": "openid"}
    assert 'id="consent-allow"' in give_password(browser, scope="openid").text
    page = browser.authorize(**request)
    assert page.request.path == "/login"  # the password once more, because a factor is set up on its strength
    page = submit(browser, page, "login-form", username="alice", password=PASSWORD)
    assert page.request.path == "/login/second-factor/new"
    assert answer_of(browser.authorize(**request, prompt="none"))["error"] == "login_required"


@pytest.mark.row("SE-10")
def test_a_requirement_counts_for_sessions_that_are_there_already(alice: Browser, make_app: MakeApp) -> None:
    assert "code" in answer_of(alice.submit(alice.authorize(scope="openid"), decision="allow"))
    alice.app = make_app(second_factor="required")
    cookies = alice.client._cookies
    alice.client = alice.app.test_client()
    alice.client._cookies = cookies
    assert answer_of(alice.authorize(prompt="none", scope="openid"))["error"] == "login_required"
    assert alice.authorize(scope="openid").request.path == "/login"


def test_the_owner_is_told_by_mail(strict: Flask) -> None:
    import sqlalchemy as sa

    from oidc_server.database import db
    from oidc_server.mail.models import OutboxMail

    browser = Browser(strict)
    set_up(browser, give_password(browser))
    with strict.app_context():
        kinds = transact(lambda: db.session.scalars(sa.select(OutboxMail.kind)).all())
    assert kinds == ["factor_added"]


@pytest.mark.parametrize("value", ["yes", "", "always"])
def test_a_setting_that_is_none_stops_the_start(make_app: MakeApp, value: str) -> None:
    with pytest.raises(ValueError, match="OIDC_SECOND_FACTOR"):
        make_app(second_factor=value)
