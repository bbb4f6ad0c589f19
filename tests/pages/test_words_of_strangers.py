"""Names, addresses and hints that strangers chose are shown as text, and lead nowhere but to the web."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from .samples import (
    ALICE,
    PAGES,
    Page,
    app_of_strangers,
    confirm,
    consent,
    error,
    form_post,
    page_of,
    policy_of,
    render,
    sign_in,
)

MARKUP = [
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "--><svg onload=alert(1)>",
    '" autofocus onfocus="alert(1)',
]
TEMPLATES = ["{{7*191}}", "{% import os %}", "{{config}}", "${7*191}", "#{7*191}", "{{ csrf_field('login') }}"]
Sample = tuple[str, dict[str, Any]]


def pages_with(text: str) -> dict[str, Sample]:
    """Each page with the text in every place that a stranger or a request can fill."""
    client = app_of_strangers(
        client_name=text,
        display_host=text,
        policy_uri=f"https://x.example/{text}",
        tos_uri=text,
        client_uri=f"https://x.example/{text}",
        logo_uri=text,
    )
    person = SimpleNamespace(username=text, email=text, claims={"name": text})
    scopes = [{"name": text, "title": text, "value": text, "icon": text}]
    return {
        "sign in": sign_in(client=client, username=text, transaction=text, failed=True),
        "choice": sign_in(client=client, account=person),
        "consent": consent(
            client=client,
            account=person,
            scopes=scopes,
            redirect_host=text,
            access_until=text,
            transaction=text,
            approval=text,
        ),
        "form post": form_post(params=[(text, text)]),
        "error": error(title=text, explanation=text, next_step=text, reference=text, error=text, developer=text),
        "sign out": confirm(client=client, account=person, fields=[(text, text)]),
        "signed out": ("logout/logged_out.html", {"client": client}),
    }


def skeleton(found: Page) -> list[tuple[str, tuple[str, ...]]]:
    return [(element.tag, tuple(element.attributes)) for element in found.elements]


@pytest.mark.row("WB-01", "WB-02", "AR-14")
@pytest.mark.parametrize("text", MARKUP)
def test_markup_changes_no_page(ground: Flask, text: str) -> None:
    harmless = pages_with("x" * 9)
    for name, page in pages_with(text).items():
        # Whatever was sent, the page has the same elements with the same attributes as with plain letters.
        assert skeleton(page_of(ground, page)) == skeleton(page_of(ground, harmless[name])), name


@pytest.mark.row("WB-03", "DR-07")
@pytest.mark.parametrize("text", TEMPLATES)
def test_templates_are_shown_and_not_evaluated(ground: Flask, text: str) -> None:
    for name, page in pages_with(text).items():
        found = page_of(ground, page)
        text_of_page = found.all("main")[0].text
        assert text in text_of_page + "".join(field.get("value") for field in found.all("input")), name
        assert "1337" not in text_of_page, name


@pytest.mark.row("WB-02", "DR-07")
def test_a_name_cannot_turn_the_writing_around_or_fill_the_page(ground: Flask) -> None:
    controls = "\u202e\u2066\u200f\u061c\u200b\ufeff"
    for page in (sign_in, consent, confirm):
        text = render(ground, page(client=app_of_strangers(client_name=f"Photo{controls} Harbour {'x' * 10_000}")))
        assert not set(controls) & set(text)
        assert "Photo Harbour xxx" in text
        assert "x" * 81 not in text
    account = SimpleNamespace(username="alice", email=None, claims={"name": f"A{controls}lice"})
    assert not set(controls) & set(render(ground, sign_in(account=account)))


@pytest.mark.row("WB-02")
def test_names_stand_in_elements_that_isolate_their_direction(ground: Flask) -> None:
    found = page_of(ground, consent(client=app_of_strangers(client_name="متجر الصور")))
    around = [element for element in found.all("bdi") if element.text == "متجر الصور"]
    assert len(around) == 2, "in the header and in the heading"


@pytest.mark.row("WB-02", "DR-07")
@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "vbscript:x",
        " https://x.example",
        "ftp://x.example",
    ],
)
def test_only_web_addresses_become_links(ground: Flask, uri: str) -> None:
    client = app_of_strangers(policy_uri=uri, tos_uri=uri, client_uri=uri, logo_uri=uri)
    for page in (sign_in(client=client), consent(client=client), ("logout/logged_out.html", {"client": client})):
        found = page_of(ground, page)
        assert uri not in [element.get(name) for element in found.elements for name in ("href", "src", "action")]
        assert not found.all("img")
        assert "img-src 'self';" in policy_of(ground, page)


@pytest.mark.row("WB-02", "WB-13")
def test_a_logo_opens_the_policy_of_its_own_page_alone(ground: Flask) -> None:
    assert "img-src 'self' https://photos.example;" in policy_of(ground, PAGES["consent"])
    for name, page in PAGES.items():
        if page[0] != "authorize/consent.html":
            assert "img-src 'self';" in policy_of(ground, page), name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Photo Harbour", "PH"),
        ("photos", "P"),
        ("(the) app of Bob", "TA"),
        ("صور", "ص"),
        ("é b", "ÉB"),
        ("🎉 7up", "7"),
    ],
)
def test_a_mark_is_made_of_initials(ground: Flask, name: str, shown: str) -> None:
    found = page_of(ground, sign_in(client=app_of_strangers(client_name=name)))
    assert [element.text for element in found.elements if element.get("class") == "mark"] == [shown]


def test_without_a_name_the_host_and_then_the_identifier_stands_for_the_app(ground: Flask) -> None:
    assert (
        "to continue to photos.example"
        in page_of(ground, sign_in(client=app_of_strangers(client_name=None))).all("main")[0].text
    )
    bare = app_of_strangers(client_name=None, display_host="", client_id="web-1")
    assert "to continue to web-1" in page_of(ground, sign_in(client=bare)).all("main")[0].text


def test_a_person_without_address_or_name_is_shown_by_user_name(ground: Flask) -> None:
    found = page_of(ground, consent(account=SimpleNamespace(username="bob", email=None, claims=None)))
    assert [element.text for element in found.elements if element.get("class") == "initials"] == ["B"]
    assert ALICE.username not in found.all("main")[0].text
    assert "bob" in found.all("main")[0].text
