"""A page speaks the language that the person chose, else the app, else the account, else the browser; and says which one."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import languages
from oidc_server.accounts.models import Account
from oidc_server.database import db, transact
from oidc_server.languages.choice import is_page

from ..conftest import PASSWORD
from ..flows import Browser

SIGN_IN = {"en": "Sign in", "de": "Anmelden", "fr": "Se connecter", "es": "Iniciar sesión", "ja": "サインイン"}
SIGN_IN["ar"] = "تسجيل الدخول"


def language_of(page: TestResponse) -> str:
    """What the page says it is written in, checked against its words and its headers."""
    found = re.search(r'<html lang="(\w+)" dir="(\w+)">', page.text)
    assert found, page.text
    assert page.headers["Content-Language"] == found[1]
    assert {"Accept-Language", "Cookie"} <= set(page.vary)
    assert found[2] == ("rtl" if found[1] == "ar" else "ltr")
    return found[1]


def accept(header: str) -> dict[str, Any]:
    return {"headers": {"Accept-Language": header}}


def choose(browser: Browser, shown: TestResponse, language: str, **changes: str) -> TestResponse:
    """Press a button of the form in the footer."""
    form = re.search(r'<form id="language-form".*?</form>', shown.text, re.DOTALL)
    assert form, shown.text
    assert f'value="{language}"' in form[0]
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[0])}
    return browser.post("/language", fields | {"language": language} | changes)


def speaks(username: str, locale: str) -> None:
    claims = {"locale": locale}
    transact(lambda: db.session.execute(sa.update(Account).where(Account.username == username).values(claims=claims)))


@pytest.mark.parametrize("language", languages.SUPPORTED)
def test_the_sign_in_page_speaks_every_language(browser: Browser, language: str) -> None:
    page = browser.get("/login", **accept(f"nl, {language}-x;q=0.9"))
    assert language_of(page) == language
    assert f"<h1>{SIGN_IN[language]}</h1>" in page.text
    assert f"<title>{SIGN_IN[language]} · " in page.text


@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_ui_locales_go_before_the_browser_on_every_step(browser: Browser) -> None:
    page = browser.authorize(ui_locales="se ja de")
    assert language_of(page) == "ja"
    page = browser.submit(page, username="alice", password="wrong horse battery staple")
    assert (page.status_code, language_of(page)) == (401, "ja")
    page = browser.submit(page, username="alice", password=PASSWORD)
    assert 'id="consent-allow"' in page.text
    assert language_of(page) == "ja"


@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize("ui_locales", ["se", "../../etc/passwd {{7*7}} <script>", "d " * 2000, "*"])
def test_ui_locales_that_nobody_speaks_are_no_error(browser: Browser, ui_locales: str) -> None:
    page = browser.authorize(ui_locales=ui_locales)
    assert (page.status_code, language_of(page)) == (200, "en")


def test_an_error_page_speaks_what_the_app_asked_for(browser: Browser) -> None:
    page = browser.authorize(client_id="nobody", ui_locales="fr")
    assert (page.status_code, language_of(page)) == (400, "fr")
    assert "Cette application n’est pas connue ici" in page.text
    assert '<p lang="en" dir="ltr">The client_id is not registered here.</p>' in page.text


def test_the_locale_of_the_account_goes_before_the_browser(app: Flask, context: None, browser: Browser) -> None:
    speaks("bob", "es_MX")
    browser.submit(browser.get("/login"), username="bob", password=PASSWORD)
    assert language_of(browser.get("/logout", **accept("de"))) == "es"
    assert language_of(browser.authorize(ui_locales="fr", prompt="consent")) == "fr"


def test_the_choice_of_the_person_goes_before_everything(app: Flask, context: None, browser: Browser) -> None:
    speaks("bob", "es")
    browser.submit(browser.get("/login"), username="bob", password=PASSWORD)
    choose(browser, browser.get("/logout"), "ar")
    assert language_of(browser.get("/logout", **accept("de"))) == "ar"
    assert language_of(browser.authorize(ui_locales="fr", prompt="consent")) == "ar"


def test_the_choice_is_kept_in_a_cookie_that_says_nothing_else(browser: Browser) -> None:
    answer = choose(browser, browser.get("/login"), "de")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert answer.headers.getlist("Set-Cookie") == [
        "__Host-oidc_language=de; Expires=" + answer.headers["Set-Cookie"].split("Expires=")[1]
    ]
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"):
        assert flag in answer.headers["Set-Cookie"]


def test_the_choice_can_be_changed_back_to_english(browser: Browser) -> None:
    choose(browser, browser.get("/login"), "de")
    choose(browser, browser.get("/login"), "en")
    assert language_of(browser.get("/login", **accept("fr"))) == "en"


def test_the_choice_comes_back_to_the_page_where_it_was_made(browser: Browser) -> None:
    page = browser.authorize(response_mode="form_post")
    address = page.request.path + "?" + page.request.query_string.decode()
    assert address.startswith("/login?transaction=")
    answer = choose(browser, page, "de")
    assert answer.location == address
    # A page that answers a form has its parked request alone to be found by.
    failed = browser.submit(browser.follow(answer), username="alice", password="wrong horse battery staple")
    assert failed.status_code == 401
    assert choose(browser, failed, "fr").location == address


def test_a_page_that_answers_a_form_without_a_request_comes_again_empty(browser: Browser) -> None:
    failed = browser.submit(browser.get("/login"), username="alice", password="wrong horse battery staple")
    assert choose(browser, failed, "fr").location == "/login"


def test_the_address_of_the_page_is_not_repeated_in_it(browser: Browser) -> None:
    page = browser.authorize(client_id="nobody", state="https://evil.example/")
    assert "evil.example" not in page.text
    assert "/authorize?client_id=nobody" in choose(browser, page, "de").location


@pytest.mark.row("RU-23")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/login",
        "",
        "/%09/evil.example",
        "javascript:alert(1)",
    ],
)
def test_nobody_else_chooses_where_it_leads(browser: Browser, target: str) -> None:
    page = browser.get("/authorize", query_string={"client_id": "nobody"})
    assert choose(browser, page, "de", page=target).location == "/login"
    sealed = re.search(r'name="page" value="([^"]+)"', page.text)
    assert sealed
    changed = ("A" if sealed[1][20] != "A" else "B").join((sealed[1][:20], sealed[1][21:]))
    assert choose(browser, page, "de", page=changed).location == "/login"
    assert choose(browser, page, "de", page=sealed[1]).location == "/authorize?client_id=nobody"


@pytest.mark.row("RU-23")
@pytest.mark.parametrize(
    "page",
    [
        *(
            "",
            "login",
            "//evil.example",
            "/\\evil.example",
            "/a//b",
            "/a\\b",
            "https://evil.example/",
            "javascript:x",
            "/a b",
        ),
        *(
            "/\t/evil.example",
            "/login\n",
            "/login\r\nX: y",
            "/@evil.example/é",
            "/login#x",
            "/login?a=<b>",
            "/a/../b c",
        ),
        "/" + "a" * 5000,
    ],
)
def test_what_a_browser_could_take_for_anothers_address_is_no_page(page: str) -> None:
    assert not is_page(page)


@pytest.mark.parametrize(
    "page", ["/", "/login", "/login?transaction=a-_1", "/authorize?state=%F0&x=a:b/c?", "/a/b.css"]
)
def test_addresses_of_ours_are_pages(page: str) -> None:
    assert is_page(page)


@pytest.mark.row("WB-09", "SE-01")
@pytest.mark.parametrize("sent", [{}, {"csrf_token": "A" * 64}])
def test_the_choice_is_refused_from_elsewhere(browser: Browser, sent: dict[str, str]) -> None:
    answer = browser.post("/language", {"language": "de", "page": "/login"} | sent)
    assert answer.status_code == 403
    assert "oidc_language" not in str(answer.headers.getlist("Set-Cookie"))


@pytest.mark.row("WB-10")
def test_a_get_chooses_nothing(browser: Browser) -> None:
    assert browser.get("/language?language=de").status_code == 405


@pytest.mark.parametrize("language", ["xx", "", "../de", "de\r\nSet-Cookie: x=y", "DE"])
def test_a_language_that_is_none_is_refused(browser: Browser, language: str) -> None:
    page = browser.get("/login")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text.partition('id="language-form"')[2]))
    answer = browser.post("/language", fields | {"language": language})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


@pytest.mark.row("SE-04")
@pytest.mark.parametrize(
    "cookie", ["__Host-oidc_language=xx", "__Host-oidc_language=de; __Host-oidc_language=fr", "oidc_language=de"]
)
def test_a_cookie_that_is_not_ours_chooses_nothing(app: Flask, cookie: str) -> None:
    client = app.test_client(use_cookies=False)
    assert (
        client.get("/login", base_url="https://id.example.test", headers={"Cookie": cookie}).headers["Content-Language"]
        == "en"
    )


def test_the_page_that_carries_a_code_offers_no_language(browser: Browser) -> None:
    page = browser.authorize(response_mode="form_post")
    page = browser.submit(browser.submit(page, username="alice", password=PASSWORD), decision="allow")
    assert 'id="form-post"' in page.text
    assert "language-form" not in page.text


def test_answers_for_machines_have_no_language(browser: Browser) -> None:
    for path in ("/.well-known/openid-configuration", "/jwks.json", "/userinfo", "/healthz", "/static/style.css"):
        answer = browser.get(path, **accept("de"))
        assert "Content-Language" not in answer.headers
        assert "Accept-Language" not in answer.vary


def test_a_mail_speaks_the_language_of_the_one_who_reads_it(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        assert languages.translate("Sign in") == SIGN_IN["fr"]
        with languages.using("de-AT"):
            assert languages.translate("Sign in") == SIGN_IN["de"]
            with languages.using(None):
                assert languages.translate("Sign in") == SIGN_IN["en"]
            assert languages.current() == "de"
        assert languages.current() == "fr"
    assert languages.current() == "en"


def test_text_is_not_escaped_and_pages_are(app: Flask) -> None:
    with app.test_request_context():
        sentence = "{{ _(\"It's %(name)s\", name='<b>') }}"
        template = app.jinja_env.from_string(sentence)
        assert template.render() == "It&#39;s &lt;b&gt;"
        text = app.jinja_env.overlay(autoescape=False).from_string(sentence)
        assert text.render() == "It's <b>"
