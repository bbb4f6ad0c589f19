"""The profile: every standard claim of OIDC Core §5.1, kept as apps get it, or refused in words at its field."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.account.profile_fields import FIELDS
from oidc_server.accounts.claims import ADDRESS_MEMBERS, CLAIMS_OF_SCOPE
from tests import flows
from tests.flows import Browser

from ..pages.samples import Page
from .forms import account_of, send, token_of

PATH = "/account/profile"
FILLED = {
    "name": "Alicia Liddell",
    "given_name": "Alicia",
    "middle_name": "P.",
    "family_name": "Liddell-Hargreaves",
    "nickname": "Ali",
    "gender": "woman",
    "birthdate": "0000-02-29",
    "profile": "https://alice.example/about",
    "picture": "https://alice.example/new.png",
    "website": "https://alice.example/",
    "phone_number": "+44 20 7946-0000",
    "zoneinfo": "Asia/Tokyo",
    "locale": "ja",
    "formatted": "Deanery\r\nChrist Church",
    "street_address": "St Aldates 1",
    "locality": "Oxford",
    "region": "Oxfordshire",
    "postal_code": "OX1 1DP",
    "country": "United Kingdom",
}


def save(browser: Browser, **values: str) -> TestResponse:
    return send(browser, PATH, **values)


def typed_of(page: TestResponse) -> dict[str, str]:
    found = Page(page.text)
    return {
        field.name: next(e.get("value") or e.text for e in found.elements if e.get("id") == f"profile-{field.name}")
        for field in FIELDS
        if field.name != "locale"
    }


@pytest.mark.spec("OIDC Core §5.1", "OIDC Core §5.1.1")
def test_there_is_a_field_for_every_standard_claim_that_a_person_may_say(alice: Browser) -> None:
    ours = {"preferred_username", "updated_at", "email", "email_verified", "phone_number_verified", "roles", "groups"}
    claims = {name for names in CLAIMS_OF_SCOPE.values() for name in names} - ours - {"address"}
    assert {field.name for field in FIELDS} == claims | set(ADDRESS_MEMBERS)
    text = alice.get(PATH).text
    for field in FIELDS:
        assert f'name="{field.name}"' in text


def test_what_was_saved_comes_back_and_reaches_apps(app: Flask, alice: Browser) -> None:
    done = save(alice, **FILLED)
    assert (done.status_code, done.location) == (303, PATH)
    page = alice.get(PATH, headers={"Accept-Language": "en"})
    assert typed_of(page)["family_name"] == "Liddell-Hargreaves"
    tokens = alice.obtain_tokens(scope="openid profile address phone")
    claims = flows.userinfo(app, tokens["access_token"]).json
    assert claims is not None
    address = {name: FILLED[name] for name in ADDRESS_MEMBERS} | {"formatted": "Deanery\nChrist Church"}
    expected: dict[str, Any] = {name: value for name, value in FILLED.items() if name not in ADDRESS_MEMBERS}
    expected |= {"address": address, "phone_number": "+442079460000"}
    assert expected.items() <= claims.items()


def test_an_emptied_field_is_gone(app: Flask, alice: Browser) -> None:
    assert save(alice, name="Alice").status_code == 303
    assert account_of(app).claims == {"name": "Alice"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", "a" * 201, "Use at most 200 characters."),
        ("name", "Alice\u202egnp", "This holds a character that nobody sees"),
        ("name", "Alice\nLiddell", "This holds a character that nobody sees"),
        ("website", "javascript:alert(1)", "begins with https://"),
        ("website", "alice.example", "begins with https://"),
        ("picture", "data:image/png;base64,AA", "begins with https://"),
        ("birthdate", "31.05.1990", "year-month-day"),
        ("birthdate", "1990-02-30", "year-month-day"),
        ("birthdate", "1990-13-01", "year-month-day"),
        ("phone_number", "020 7946 0000", "code of the country"),
        ("phone_number", "+44<script>", "code of the country"),
        ("zoneinfo", "Mars/Olympus", "time zones"),
        ("zoneinfo", "../../etc/passwd", "time zones"),
        ("locale", "not a language", "languages"),
        ("country", "a" * 201, "Use at most 200 characters."),
    ],
)
def test_what_cannot_be_kept_is_said_at_its_field_and_nothing_is_saved(
    app: Flask, alice: Browser, name: str, value: str, sentence: str
) -> None:
    before = account_of(app).claims
    answer = save(alice, **FILLED | {"locale": "en", name: value})
    assert answer.status_code == 422
    assert account_of(app).claims == before
    page = Page(answer.text)
    field = page.by_id(f"profile-{name}")
    assert field.get("aria-invalid") == "true"
    said = page.by_id(f"profile-{name}-problem")
    assert sentence in said.text and f"profile-{name}-problem" in field.get("aria-describedby").split()
    alert = page.by_id("profile-alert")
    assert alert.get("role") == "alert" and sentence in alert.text
    assert [element for element in page.elements if element.get("aria-invalid")] == [field]
    assert "St Aldates 1" in answer.text, "what was typed elsewhere is still there"


@pytest.mark.parametrize("birthdate", ["1990", "1990-05-31", "0000-12-24"])
@pytest.mark.spec("OIDC Core §5.1")
def test_a_birthdate_may_keep_its_year_or_its_day_to_itself(app: Flask, alice: Browser, birthdate: str) -> None:
    assert save(alice, birthdate=birthdate).status_code == 303
    assert account_of(app).claims["birthdate"] == birthdate


@pytest.mark.row("RC-10")
def test_nobody_verifies_or_promotes_themselves(app: Flask, alice: Browser) -> None:
    before = account_of(app)
    more = {
        "phone_number_verified": "true",
        "email": "root@example.test",
        "email_verified": "true",
        "roles": "admin",
        "groups": "admins",
        "username": "root",
        "preferred_username": "root",
        "sub": "root",
        "disabled_at": "",
    }
    fields = token_of(alice, PATH, PATH)
    assert alice.post(PATH, data=fields | FILLED | {"phone_number": "+441865000001"} | more).status_code == 303
    after = account_of(app)
    assert (after.username, after.email, after.roles, after.groups) == (
        before.username,
        before.email,
        before.roles,
        before.groups,
    )
    assert "phone_number_verified" not in after.claims, "another number is not verified any more"
    assert "preferred_username" not in after.claims


def test_a_phone_number_that_stays_stays_verified(app: Flask, alice: Browser) -> None:
    save(alice, phone_number="+441865000000")
    assert account_of(app).claims == {"phone_number": "+441865000000", "phone_number_verified": True}


def test_the_user_name_is_shown_and_no_field(alice: Browser) -> None:
    page = Page(alice.get(PATH).text)
    assert page.by_id("profile-username").text == "alice"
    assert not [element for element in page.elements if element.get("name") == "username"]


@pytest.mark.row("WB-01", "WB-02", "WB-03")
def test_markup_in_a_field_is_text(alice: Browser) -> None:
    nasty = '"><script>alert(1)</script>{{7*191}}'
    save(alice, nickname=nasty)
    text = alice.get(PATH).text
    assert "<script>alert" not in text and "1337" not in text
    answer = save(alice, nickname=nasty, website=nasty)
    assert answer.status_code == 422 and "<script>alert" not in answer.text


@pytest.mark.row("LS-05")
def test_a_change_is_an_activity_and_saving_the_same_is_none(app: Flask, alice: Browser) -> None:
    save(alice, name="Alice")
    save(alice, name="Alice")
    assert alice.get("/account/activity").text.count("Profile changed") == 1


def test_the_language_of_the_profile_is_that_of_the_next_page(alice: Browser) -> None:
    save(alice, locale="de")
    assert '<html lang="de"' in alice.get(PATH).text
