"""A person creates an account: what is asked, what is refused, and where they go afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts

from .. import flows, mailbox

GOOD = "a quiet walk along the river"
PASSWORD = "correct horse battery staple"
CAROL = "carol@example.test"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(sign_up="open")


def sign_up(browser: flows.Browser, path: str = "/signup", follow: bool = True, **values: str) -> Any:
    return browser.submit(browser.get(path), follow, **{"email": CAROL, "password": GOOD} | values)


def exists(app: Flask, login: str) -> bool:
    with app.app_context():
        return accounts.find_by_login(login) is not None


def test_a_person_signs_up_is_signed_in_and_gets_a_mail_to_confirm_the_address(
    app: Flask, browser: flows.Browser
) -> None:
    response = sign_up(browser, name="Carol Danvers")

    assert response.status_code == 200
    assert 'id="verify-code"' in response.text
    assert browser.get("/account").status_code == 200
    mail = mailbox.newest(app, CAROL)
    assert mail.kind == "verify_email"
    assert mail.path.startswith("/verify?link=")
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        assert (account.username, account.email_verified, account.claims) == ("carol", False, {"name": "Carol Danvers"})


def test_the_password_of_the_sign_up_signs_in_by_address_and_by_name(app: Flask, browser: flows.Browser) -> None:
    sign_up(browser, username="captain")

    flows.Browser(app).sign_in(CAROL, GOOD)
    flows.Browser(app).sign_in("captain", GOOD)


@pytest.mark.spec("OpenID Connect Prompt Create 1.0 §4")
def test_prompt_create_leads_to_the_form_and_from_there_back_to_the_app(app: Flask, browser: flows.Browser) -> None:
    page = browser.authorize(prompt="create", login_hint=CAROL)
    assert 'id="signup-form"' in page.text
    assert f'value="{CAROL}"' in page.text
    response = browser.submit(page, email=CAROL, password=GOOD)
    assert 'id="consent-allow"' in response.text, response.text
    response = browser.submit(response, decision="allow")

    answer = flows.answer_of(response)
    tokens = flows.redeem(app, answer["code"]).json
    assert answer["state"] == "a-state"
    claims = flows.claims_of(tokens["id_token"])
    assert (claims["acr"], claims["amr"]) == ("1", ["pwd"])
    assert flows.userinfo(app, tokens["access_token"]).json["email_verified"] is False


def test_prompt_create_asks_although_somebody_is_signed_in(app: Flask) -> None:
    alice = flows.Browser(app)
    alice.sign_in("alice")

    page = alice.authorize(prompt="create")
    assert 'id="signup-form"' in page.text
    response = alice.submit(page, email=CAROL, password=GOOD)

    assert "carol" in response.text
    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None and account.last_login_at is not None


def test_whoever_has_an_account_after_all_signs_in_instead_and_goes_on(app: Flask, browser: flows.Browser) -> None:
    page = browser.authorize(prompt="create")
    transaction = flows.form_of(page.text)[1]["transaction"]
    assert f'id="signup-login" href="/login?transaction={transaction}"' in page.text

    response = browser.submit(browser.get(f"/login?transaction={transaction}"), username="alice", password=PASSWORD)

    assert 'id="consent-allow"' in response.text


@pytest.mark.spec("OpenID Connect Prompt Create 1.0 §4.1")
@pytest.mark.parametrize(("sign_up", "offered"), [("open", True), ("invitation", False), ("off", False)])
def test_discovery_offers_prompt_create_where_everybody_may_sign_up(
    make_app: Callable[..., Flask], sign_up: str, offered: bool
) -> None:
    app = make_app(sign_up=sign_up)
    metadata = flows.machine_of(app).get("/.well-known/openid-configuration", base_url=flows.base_url(app)).json
    assert ("create" in metadata["prompt_values_supported"]) is offered

    response = flows.Browser(app).authorize(follow=False, prompt="create")
    if offered:
        assert response.location.startswith("/signup?transaction=")
    else:
        assert flows.answer_of(response)["error"] == "invalid_request"


def test_the_sign_in_page_offers_both_ways_and_keeps_the_request(app: Flask, browser: flows.Browser) -> None:
    page = browser.authorize()
    transaction = flows.form_of(page.text)[1]["transaction"]

    assert f'href="/signup?transaction={transaction}"' in page.text
    assert f'href="/recover?transaction={transaction}"' in page.text


@pytest.mark.parametrize("setting", ["off", "invitation"])
def test_where_not_everybody_may_sign_up_nobody_does(make_app: Callable[..., Flask], setting: str) -> None:
    app = make_app(sign_up=setting)
    browser = flows.Browser(app)
    assert "/signup" not in browser.get("/login").text

    assert browser.get("/signup").status_code == 403
    fields = {"csrf_token": csrf_token(app, browser), "email": CAROL, "password": GOOD}
    assert browser.post("/signup", data=fields).status_code == 403
    assert not exists(app, CAROL)
    assert mailbox.of(app) == []


def csrf_token(app: Flask, browser: flows.Browser) -> str:
    """A token for the form that this server does not show: made by the same keys."""
    from oidc_server import csrf

    browser.get("/login")
    cookie = browser.client.get_cookie("__Host-oidc_browser", domain="id.example.test")
    assert cookie is not None
    headers = {"Cookie": f"__Host-oidc_browser={cookie.value}"}
    with app.test_request_context("/signup", base_url=flows.base_url(app), headers=headers):
        return csrf.token("signup")


@pytest.mark.parametrize(
    "email", ["ALICE@example.test", "alice@EXAMPLE.test", " alice@example.test ", "ａｌｉｃｅ@example.test"]
)
@pytest.mark.row("ID-01")
def test_a_taken_address_is_told_by_default(app: Flask, browser: flows.Browser, email: str) -> None:
    response = sign_up(browser, email=email)

    assert response.status_code in (409, 422)  # 422: letters of another width are no address
    assert response.status_code == 409 or not email.isascii()
    if response.status_code == 409:
        assert "This address already has an account" in response.text
        assert 'href="/recover"' in response.text and 'href="/login"' in response.text
    assert mailbox.of(app) == []


@pytest.mark.row("ID-01", "ID-04", "ID-09")
@pytest.mark.parametrize("username", ["alice", "ALICE", "ａｌｉｃｅ", "alice "])
def test_a_taken_user_name_is_told_however_it_is_written(app: Flask, browser: flows.Browser, username: str) -> None:
    response = sign_up(browser, username=username)

    assert response.status_code == 409
    assert "This user name is taken" in response.text
    assert not exists(app, CAROL)


BAD_FIELDS = [
    ("email", "carol"),
    ("email", "a@evil@corp.com"),
    ("email", '"quoted"@corp.com'),
    ("email", "carol(comment)@corp.com"),
    ("email", "carol@corp.com\n"),
    ("email", "carol@corp.com\r\nBcc: everybody@corp.com"),
    ("email", f"{'c' * 65}@corp.com"),
    ("email", f"carol@{'c' * 250}.com"),
    ("username", "bob@example.test"),
    ("username", "c" * 300),
    ("username", "раураl"),
    ("username", "ca\u200brol"),
    ("username", "\u202elorac"),
    ("name", "Carol\r\nBcc: everybody@corp.com"),
    ("name", "c" * 101),
    ("password", "short"),
    ("password", "passwordpassword"),
    ("password", "carol@example.test"),
    ("password", "p" * 5000),
]


@pytest.mark.row("RC-12", "RC-13", "ID-02", "ID-03", "ID-04", "ID-05", "PW-05")
@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_a_field_that_cannot_be_used_is_told_at_the_field_and_nothing_is_made(
    app: Flask, browser: flows.Browser, field: str, value: str
) -> None:
    response = sign_up(browser, **{"name": "Carol", field: value})

    assert response.status_code == 422
    assert f'id="signup-{field}-problem"' in response.text
    assert 'role="alert"' in response.text
    assert GOOD not in response.text
    assert not exists(app, CAROL)
    assert mailbox.of(app) == []


def test_all_fields_that_cannot_be_used_are_told_at_once_and_keep_what_was_typed(browser: flows.Browser) -> None:
    response = sign_up(browser, email="no address", username="two words", password="short secret", name="Carol")

    for field in ("email", "username", "password"):
        assert f'id="signup-{field}-problem"' in response.text
    for typed in ("no address", "two words", "Carol"):
        assert f'value="{typed}"' in response.text
    assert "short secret" not in response.text


@pytest.mark.row("RC-10")
@pytest.mark.parametrize("name", ["email_verified", "phone_number_verified", "roles", "groups", "sub", "id"])
def test_nobody_says_of_themselves_what_only_the_server_knows(app: Flask, browser: flows.Browser, name: str) -> None:
    sign_up(browser, **{name: "true"})

    with app.app_context():
        account = accounts.find_by_login(CAROL)
        assert account is not None
        assert not account.email_verified and account.roles == account.groups == [] and account.claims == {}


@pytest.mark.row("WB-09", "SE-01")
def test_a_form_of_another_browser_signs_nobody_up(app: Flask, browser: flows.Browser) -> None:
    _, fields = flows.form_of(flows.Browser(app).get("/signup").text)

    response = browser.post("/signup", data=fields | {"email": CAROL, "password": GOOD})

    assert response.status_code == 403
    assert not exists(app, CAROL)


@pytest.mark.row("WB-01", "WB-03")
def test_markup_in_the_fields_is_shown_as_text(app: Flask, browser: flows.Browser) -> None:
    response = sign_up(browser, email='"><script>alert(1)</script>', name="{{7*7}}")

    assert "<script>alert" not in response.text
    assert "{{7*7}}" in response.text


@pytest.mark.row("ID-06")
@pytest.mark.parametrize("email", ["x'--@example.test", "x'/**/OR/**/'1'='1@example.test"])
def test_an_address_that_is_sql_is_an_address(app: Flask, browser: flows.Browser, email: str) -> None:
    sign_up(browser, email=email)

    assert exists(app, email)
    assert not exists(app, CAROL)


@pytest.mark.row("SE-02")
def test_signing_up_gives_the_browser_a_new_session(app: Flask, browser: flows.Browser) -> None:
    browser.client.set_cookie("__Host-oidc_session", "planted-by-somebody", domain="id.example.test", secure=True)
    sign_up(browser)

    cookie = browser.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert cookie is not None and cookie.value != "planted-by-somebody"
    assert browser.get("/account").status_code == 200


@pytest.mark.row("SE-10")
def test_where_everybody_needs_a_second_factor_signing_up_opens_no_session_without_it(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(sign_up="open", second_factor="required")
    browser = flows.Browser(app)

    response = sign_up(browser, follow=False)

    assert response.location.startswith("/login/second-factor?pending=")
    assert browser.get("/account").status_code == 303


@pytest.mark.row("BF-09")
def test_a_network_signs_up_so_often_and_no_more(make_app: Callable[..., Flask]) -> None:
    app = make_app(sign_up="open", ratelimit_enabled=True, ratelimit_sign_up="2/minute")
    answers = [sign_up(flows.Browser(app), email=f"carol{number}@example.test") for number in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert 'value="carol2@example.test"' in answers[2].text
    assert not exists(app, "carol2@example.test")


@pytest.mark.row("WB-07", "WB-12", "RC-08")
def test_the_pages_are_kept_by_nobody_and_tell_no_other_site_where_they_were(browser: flows.Browser) -> None:
    for path in ("/signup", "/recover", "/verify", "/reset?request=x", "/verify/confirmed"):
        response = browser.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_whoever_is_signed_in_has_no_need_to_sign_up(app: Flask) -> None:
    alice = flows.Browser(app)
    alice.sign_in("alice")
    assert alice.get("/signup").location == "/account"
