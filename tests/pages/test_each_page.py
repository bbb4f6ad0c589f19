"""What single pages say and offer, in each of their states."""

from __future__ import annotations

import pytest
from flask import Flask

from ..ground import STATIC
from .samples import PAGES, confirm, consent, error, form_post, page_of, render, sign_in


def test_the_sign_in_form_works_for_suites_and_password_managers(ground: Flask) -> None:
    found = page_of(ground, sign_in(username="alice"))
    assert "Sign in" in found.by_id("login-form").text
    username, password, submit = found.by_id("username"), found.by_id("password"), found.by_id("login-submit")
    assert (username.get("name"), username.get("autocomplete"), username.get("value")) == (
        "username",
        "username webauthn",
        "alice",
    )
    assert (password.get("name"), password.get("autocomplete"), password.get("type")) == (
        "password",
        "current-password",
        "password",
    )
    assert submit.text.strip() == "Sign in"
    assert found.by_id("login-form") in submit.parents
    assert found.by_id("login-cancel").get("value") == "cancel"


@pytest.mark.row("WB-14")
@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("sign in")])
def test_nothing_hinders_password_managers_and_paste(ground: Flask, name: str) -> None:
    for element in page_of(ground, PAGES[name]).elements:
        assert element.get("autocomplete") != "off"
        assert not {"onpaste", "oncopy", "ondrop", "readonly"} & set(element.attributes)
    for script in STATIC.glob("*.js"):
        assert "paste" not in script.read_text("utf-8")


def test_cancel_sends_no_password(ground: Flask) -> None:
    found = page_of(ground, sign_in())
    [form] = [element for element in found.by_id("login-cancel").parents if element.tag == "form"]
    assert [field.get("name") for field in found.within(form, "input")] == ["csrf_token", "transaction"]


def test_a_failed_sign_in_keeps_the_name_and_puts_the_cursor_in_the_password(ground: Flask) -> None:
    found = page_of(ground, sign_in(username="alice", failed=True))
    alert = found.by_id("login-alert")
    assert alert.get("role") == "alert" and "That did not match" in alert.text
    for identifier in ("username", "password"):
        assert found.by_id(identifier).get("aria-describedby") == "login-alert"
        assert found.by_id(identifier).get("aria-invalid") == "true"
    assert found.by_id("username").get("value") == "alice"
    assert [element.get("id") for element in found.elements if "autofocus" in element.attributes] == ["password"]
    assert found.by_id("password").get("value") == ""


def test_a_pause_says_how_long_and_blames_nobody(ground: Flask) -> None:
    for wait, sentence in ((1, "in a moment"), (45, "in 45 seconds"), (119, "in 119 seconds"), (121, "in 3 minutes")):
        found = page_of(ground, sign_in(username="alice", wait=wait))
        assert sentence in found.by_id("login-alert").text
        assert not [element for element in found.elements if element.get("aria-invalid")]


def test_the_known_account_can_be_continued_with_or_changed(ground: Flask) -> None:
    found = page_of(ground, sign_in(account=PAGES["consent"][1]["account"]))
    assert "Continue as Alice Liddell" in found.by_id("login-continue").text
    assert found.by_id("login-continue").get("value") == "continue"
    [details] = [element for element in found.by_id("login-form").parents if element.tag == "details"]
    assert "open" not in details.attributes
    failed = page_of(ground, PAGES["sign in with a choice that failed"])
    [details] = [element for element in failed.by_id("login-form").parents if element.tag == "details"]
    assert "open" in details.attributes


@pytest.mark.row("CO-04")
def test_consent_shows_who_what_whereto_and_how_long(ground: Flask) -> None:
    found = page_of(ground, consent())
    text = found.all("main")[0].text
    for shown in (
        "Photo Harbour",
        "photos.example",
        "alice@example.test",
        "See your name and picture",
        "Alice Liddell",
        "See your photos",
    ):
        assert shown in text
    assert "You will be sent to photos.example." in text
    assert "Access lasts until you sign out here." in text
    assert found.by_id("client-policy").get("href") == "https://photos.example/privacy"
    assert found.by_id("client-tos").get("href") == "https://photos.example/terms"
    assert found.by_id("client-logo").get("src") == "https://photos.example/logo.png"


@pytest.mark.row("CO-07")
def test_the_two_answers_of_consent_look_alike_and_carry_the_approval(ground: Flask) -> None:
    found = page_of(ground, consent())
    deny, allow = found.by_id("consent-deny"), found.by_id("consent-allow")
    assert (deny.get("name"), deny.get("value"), allow.get("name"), allow.get("value")) == (
        "decision",
        "deny",
        "decision",
        "allow",
    )
    assert deny.parents == allow.parents
    assert set(allow.get("class").split()) - set(deny.get("class").split()) == {"primary"}
    assert found.by_id("consent-switch").get("value") == "switch"
    hidden = {field.get("name"): field.get("value") for field in found.within(found.by_id("consent-form"), "input")}
    assert (hidden["transaction"], hidden["approval"]) == ("t-1", "a-1")


def test_an_app_on_this_device_comes_with_a_warning(ground: Flask) -> None:
    for host in ("localhost:8001", "127.0.0.1:49152", "[::1]:49152"):
        assert "only if you have just started it yourself" in render(ground, consent(redirect_host=host))
    assert "just started" not in render(ground, consent(redirect_host="photos.example"))


def test_the_error_page_shows_suites_the_code_and_people_the_reference(ground: Flask) -> None:
    found = page_of(ground, error())
    details = found.by_id("oauth-error")
    [summary] = found.within(details, "summary")
    assert "invalid_request" in summary.text and "redirect_uri" in summary.text, "readable without unfolding"
    assert "The redirect_uri is not registered." in details.text
    assert found.by_id("error-reference").text == "7F3K-Q2MD"
    assert "redirect_uri" not in page_of(ground, error(developer="The scope is unknown.")).by_id("oauth-error").text


@pytest.mark.row("RU-24")
def test_form_post_carries_hostile_values_as_they_are(ground: Flask) -> None:
    state = '"><script>alert(1)</script>&amp;\u202e{{7*7}} é'
    found = page_of(ground, form_post(params=[("state", state), ("submit", "x")]))
    form = found.by_id("form-post")
    assert form.get("action") == "https://photos.example/callback"
    assert [(field.get("name"), field.get("value")) for field in found.within(form, "input")] == [
        ("state", state),
        ("submit", "x"),
    ]
    assert [element.get("src").partition("?")[0] for element in found.all("script")] == ["/static/form_post.js"]


def test_sign_out_can_be_declined_as_easily(ground: Flask) -> None:
    found = page_of(ground, confirm())
    stay, leave = found.by_id("logout-cancel"), found.by_id("logout-confirm")
    assert stay.parents == leave.parents
    hidden = [(field.get("name"), field.get("value")) for field in found.within(found.by_id("logout-form"), "input")]
    assert hidden[1:] == [("client_id", "web"), ("state", "s-1")]


def test_the_signed_out_page_leads_back_to_the_app(ground: Flask) -> None:
    found = page_of(ground, PAGES["signed out"])
    assert "You are signed out" in found.by_id("logged-out").text
    assert found.by_id("client-link").get("href") == "https://photos.example/"
    assert not [e for e in page_of(ground, PAGES["signed out without an app"]).elements if e.get("id") == "client-link"]
