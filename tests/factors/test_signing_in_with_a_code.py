"""Signing in with a password and then a second factor: no session before the factor, and no way around it."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from oidc_server.factors import recovery_codes

from ..flows import Browser, Clock, answer_of, claims_of, introspect, redeem, refresh
from .conftest import (
    PASSWORD,
    Phone,
    account_id,
    form_with,
    give_password,
    give_phone,
    give_recovery_codes,
    is_signed_in,
    submit,
)

WRONG = "000000"


def test_a_person_with_an_app_is_asked_for_its_code_and_signs_in(browser: Browser, phone: Phone) -> None:
    asked = give_password(browser)
    assert asked.status_code == 200 and asked.request.path == "/login/second-factor"
    signed_in = submit(browser, asked, "second-factor-form", code=phone.code())
    assert signed_in.status_code == 200 and signed_in.request.path == "/account"


def test_a_person_without_a_factor_is_asked_for_none(browser: Browser, phone: Phone) -> None:
    assert give_password(browser, "bob").request.path == "/account"


@pytest.mark.row("SE-10")
def test_there_is_no_session_before_the_factor(browser: Browser, phone: Phone) -> None:
    give_password(browser)
    assert not browser.client.get_cookie("__Host-oidc_session", "id.example.test")
    assert not is_signed_in(browser)
    answer = answer_of(browser.authorize(prompt="none"))
    assert answer["error"] == "login_required" and "code" not in answer


@pytest.mark.spec("OIDC Core §2", "RFC 8176 §2", "RFC 9068 §2.2.1")
def test_the_tokens_say_which_factors_there_were_and_go_on_saying_so(
    app: Flask, browser: Browser, phone: Phone
) -> None:
    request = {"scope": "openid offline_access photos:read", "resource": "https://api.photos.example/"}
    consent = submit(browser, give_password(browser, **request), "second-factor-form", code=phone.code())
    answer = answer_of(browser.submit(consent, decision="allow"))
    tokens = redeem(app, answer["code"]).json or {}
    for claims in (claims_of(tokens["id_token"]), claims_of(tokens["access_token"])):
        assert (claims["acr"], claims["amr"]) == ("2", ["pwd", "otp", "mfa"])
    renewed = refresh(app, tokens["refresh_token"]).json or {}
    assert (claims_of(renewed["id_token"])["acr"], claims_of(renewed["id_token"])["amr"]) == (
        "2",
        ["pwd", "otp", "mfa"],
    )
    assert introspect(app, tokens["access_token"])["active"] is True


@pytest.mark.spec("OIDC Core §2")
def test_the_tokens_of_one_factor_claim_no_second(app: Flask, browser: Browser, phone: Phone) -> None:
    consent = give_password(browser, "bob", scope="openid")
    tokens = redeem(app, answer_of(browser.submit(consent, decision="allow"))["code"]).json or {}
    claims = claims_of(tokens["id_token"])
    assert (claims["acr"], claims["amr"]) == ("1", ["pwd"])


@pytest.mark.row("SE-11")
def test_a_wrong_code_signs_nobody_in_and_says_only_that(browser: Browser, phone: Phone) -> None:
    page = submit(browser, give_password(browser), "second-factor-form", code=WRONG)
    assert page.status_code == 401 and 'role="alert"' in page.text
    assert not is_signed_in(browser)
    assert submit(browser, page, "second-factor-form", code=phone.code()).request.path == "/account"


@pytest.mark.row("SE-11")
def test_a_code_that_signed_in_once_signs_nobody_in_again(app: Flask, browser: Browser, phone: Phone) -> None:
    code = phone.code()
    submit(browser, give_password(browser), "second-factor-form", code=code)
    assert is_signed_in(browser)
    other = Browser(app)
    assert submit(other, give_password(other), "second-factor-form", code=code).status_code == 401
    assert not is_signed_in(other)


@pytest.mark.parametrize("code", ["", "1" * 101, "１２３４５６", "abc", "12345", "<script>"])
def test_what_is_no_code_is_a_wrong_one(browser: Browser, phone: Phone, code: str) -> None:
    page = submit(browser, give_password(browser), "second-factor-form", code=code)
    assert page.status_code == 401 and "<script>" not in page.text


def test_a_code_may_be_typed_as_the_app_shows_it(browser: Browser, phone: Phone) -> None:
    code = phone.code()
    page = submit(browser, give_password(browser), "second-factor-form", code=f" {code[:3]} {code[3:]}")
    assert page.request.path == "/account"


def test_a_recovery_code_signs_in_once_instead(app: Flask, browser: Browser, phone: Phone) -> None:
    code = give_recovery_codes(app)[0]
    consent = submit(browser, give_password(browser, scope="openid"), "recovery-code-form", code=code.lower())
    tokens = redeem(app, answer_of(browser.submit(consent, decision="allow"))["code"]).json or {}
    assert claims_of(tokens["id_token"])["amr"] == ["pwd", "otp", "mfa"]
    other = Browser(app)
    again = submit(other, give_password(other), "recovery-code-form", code=code)
    assert again.status_code == 401 and not is_signed_in(other)
    assert 'id="lost-factor" open' in again.text
    with app.app_context():
        assert recovery_codes.remaining(account_id()) == 9


def test_a_person_without_recovery_codes_is_told_who_can_help(browser: Browser, phone: Phone) -> None:
    page = give_password(browser)
    assert "recovery-code-form" not in page.text and 'id="ask-for-help"' in page.text


@pytest.mark.row("SE-09")
def test_the_page_of_the_factor_is_nothing_without_the_password(browser: Browser, phone: Phone) -> None:
    for query in ("", "?pending=made-up", "?transaction=made-up", "?pending="):
        page = browser.get(f"/login/second-factor{query}")
        assert page.status_code in (303, 400)
        assert page.status_code == 400 or page.location.startswith("/login")
    page = browser.get("/login/second-factor/new?pending=made-up")
    assert page.status_code == 303 and page.location.startswith("/login?")


@pytest.mark.row("SE-09")
def test_an_authorization_request_alone_does_not_open_the_page(browser: Browser, phone: Phone) -> None:
    location = browser.authorize(follow=False).location
    transaction = location.partition("transaction=")[2]
    page = browser.get(f"/login/second-factor?transaction={transaction}")
    assert page.status_code == 303 and page.location == f"/login?transaction={transaction}"


@pytest.mark.row("SE-09")
def test_a_pending_sign_in_is_good_in_its_own_browser_alone(app: Flask, browser: Browser, phone: Phone) -> None:
    _, fields = form_with(give_password(browser), "second-factor-form")
    thief = Browser(app)
    assert thief.get(f"/login/second-factor?pending={fields['pending']}").status_code == 303
    page = thief.get("/login")
    _, own = form_with(page, "login-form")
    answer = thief.post("/login/second-factor", data=own | {"pending": fields["pending"], "code": phone.code()})
    assert answer.status_code == 403 and not is_signed_in(thief)


@pytest.mark.row("SE-09", "WB-09")
def test_the_code_needs_the_token_of_its_form(browser: Browser, phone: Phone) -> None:
    _, fields = form_with(give_password(browser), "second-factor-form")
    del fields["csrf_token"]
    assert browser.post("/login/second-factor", data=fields | {"code": phone.code()}).status_code == 403
    assert not is_signed_in(browser)


@pytest.mark.row("SE-09")
def test_a_pending_sign_in_is_good_once(app: Flask, browser: Browser, phone: Phone) -> None:
    action, fields = form_with(give_password(browser), "second-factor-form")
    assert browser.post(action, data=fields | {"code": phone.code()}).status_code == 303
    browser.client.delete_cookie("__Host-oidc_session", domain="id.example.test", path="/")
    again = browser.post(action, data=fields | {"code": phone.code()})
    assert again.status_code == 303 and again.location == "/login?because=ended"
    assert not is_signed_in(browser)


@pytest.mark.row("SE-11")
def test_a_pending_sign_in_ends_after_ten_minutes(browser: Browser, phone: Phone, clock: Clock) -> None:
    action, fields = form_with(give_password(browser), "second-factor-form")
    clock.advance(601)
    late = browser.follow(browser.post(action, data=fields | {"code": phone.present()}))
    assert late.request.path == "/login" and "took too long" in late.text
    assert not is_signed_in(browser)


def test_after_ten_minutes_the_app_still_waits_for_another_try(browser: Browser, phone: Phone, clock: Clock) -> None:
    action, fields = form_with(give_password(browser, scope="openid"), "second-factor-form")
    clock.advance(601)
    late = browser.follow(browser.post(action, data=fields | {"code": phone.present()}))
    assert "took too long" in late.text
    asked = submit(browser, late, "login-form", username="alice", password=PASSWORD)
    assert 'id="consent-allow"' in submit(browser, asked, "second-factor-form", code=phone.present()).text


@pytest.mark.row("SE-07", "SE-14", "BF-06")
@pytest.mark.parametrize("change", ["disabled", "new password", "signed out everywhere"])
def test_a_pending_sign_in_ends_when_the_account_changes(
    app: Flask, browser: Browser, phone: Phone, clock: Clock, change: str
) -> None:
    action, fields = form_with(give_password(browser), "second-factor-form")
    clock.advance(1)
    with app.app_context():
        if change == "disabled":
            accounts.disable(account_id())
        elif change == "new password":
            accounts.set_password(account_id(), "another horse battery staple", keep_sessions=True)
        else:
            accounts.sign_out(account_id())
    answer = browser.post(action, data=fields | {"code": phone.code()})
    assert answer.status_code == 303 and answer.location == "/login?because=ended"
    assert not is_signed_in(browser)


def test_cancel_forgets_the_password_and_tells_the_app(browser: Browser, phone: Phone) -> None:
    page = give_password(browser, scope="openid")
    action, fields = form_with(page, "second-factor-form")
    answer = browser.follow(browser.post(action, data=fields | {"action": "cancel"}))
    assert answer_of(answer)["error"] == "access_denied"
    assert browser.post(action, data=fields | {"code": phone.code()}).status_code in (303, 400)
    assert not is_signed_in(browser)


@pytest.mark.row("SE-08")
def test_two_tabs_with_two_apps_end_each_at_its_own(browser: Browser, phone: Phone, clock: Clock) -> None:
    first = give_password(browser, scope="openid", state="one")
    second = give_password(browser, scope="openid", state="two", client_id="other")
    one = submit(browser, first, "second-factor-form", code=phone.code())
    clock.advance(30)
    two = submit(browser, second, "second-factor-form", code=phone.code())
    answer = browser.submit(one, decision="allow")
    assert answer_of(answer)["state"] == "one" and answer.location.startswith("https://photos.example/")
    answer = browser.submit(two, decision="allow")
    assert answer_of(answer)["state"] == "two" and answer.location.startswith("https://other.example/")


@pytest.mark.row("SE-02")
def test_the_session_has_a_fresh_cookie_and_is_written_down_once(
    browser: Browser, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    browser.client.set_cookie("__Host-oidc_session", "planted", domain="id.example.test", secure=True)
    with caplog.at_level(logging.INFO, "oidc_server.audit"):
        page = give_password(browser)
        assert not [line for line in caplog.messages if "sign_in.ok" in line]
        submit(browser, page, "second-factor-form", code=phone.code())
    cookie = browser.client.get_cookie("__Host-oidc_session", "id.example.test")
    assert cookie is not None and cookie.value != "planted"
    assert len([line for line in caplog.messages if "sign_in.ok" in line]) == 1


def test_half_a_sign_in_is_no_last_sign_in(app: Flask, browser: Browser, phone: Phone) -> None:
    page = give_password(browser)
    with app.app_context():
        account = accounts.find(account_id())
        assert account is not None and account.last_login_at is None
    submit(browser, page, "second-factor-form", code=phone.code())
    with app.app_context():
        account = accounts.find(account_id())
        assert account is not None and account.last_login_at is not None


def test_two_phones_open_one_account(app: Flask, browser: Browser, phone: Phone) -> None:
    other = give_phone(app)
    assert submit(browser, give_password(browser), "second-factor-form", code=other.code()).request.path == "/account"


def test_a_person_goes_to_the_account_page_they_were_on_the_way_to(browser: Browser, phone: Phone) -> None:
    asked = submit(
        browser, browser.get("/login?then=/account/factors"), "login-form", username="alice", password=PASSWORD
    )
    assert submit(browser, asked, "second-factor-form", code=phone.code()).request.path == "/account/factors"


@pytest.mark.row("SE-10")
def test_removing_the_factor_meanwhile_does_not_let_a_pending_sign_in_through(
    app: Flask, browser: Browser, phone: Phone
) -> None:
    from oidc_server import factors

    action, fields = form_with(give_password(browser), "second-factor-form")
    with app.app_context():
        factors.remove_all(account_id())
        assert transact(lambda: factors.of(account_id())) == []
    answer = browser.post(action, data=fields | {"code": ""})
    assert answer.location.startswith("/login/second-factor/new?") and not is_signed_in(browser)
