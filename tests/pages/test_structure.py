"""What every page has, so that people, screen readers, keyboards, password managers and test suites find their way."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from .samples import PAGES, Page, page_of, render, sign_in

every_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
Sample = tuple[str, dict[str, Any]]


@every_page
def test_it_has_one_heading_a_title_and_a_language(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    [heading], [title], [html] = found.all("h1"), found.all("title"), found.all("html")
    assert heading.text.strip()
    assert title.text.strip().endswith("· id.example.test")
    assert (html.get("lang"), html.get("dir")) == ("en", "ltr")
    assert len(found.all("main")) == len(found.all("footer")) == 1
    assert "id.example.test" in found.all("footer")[0].text


def test_language_and_direction_can_be_others(ground: Flask) -> None:
    template, values = sign_in()
    [html] = page_of(ground, (template, values | {"request_locale": "ar", "request_direction": "rtl"})).all("html")
    assert (html.get("lang"), html.get("dir")) == ("ar", "rtl")


@every_page
def test_every_field_has_a_label_and_every_button_a_name(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    labels = {label.get("for") for label in found.all("label")}
    for field in found.all("input"):
        assert field.get("type") == "hidden" or field.get("id") in labels
    for control in found.all("button") + found.all("a"):
        assert control.text.strip() or control.get("aria-label")
    for picture in found.all("img"):
        assert "alt" in picture.attributes


@every_page
def test_ids_are_there_once_and_what_refers_to_them_finds_them(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    ids = [element.get("id") for element in found.elements if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in found.elements:
        for name in ("for", "aria-describedby", "aria-controls", "form"):
            assert set(element.get(name).split()) <= set(ids)


@every_page
@pytest.mark.row("WB-04")
def test_it_has_no_inline_script_style_or_handler(ground: Flask, page: Sample) -> None:
    for element in page_of(ground, page).elements:
        assert element.tag != "style"
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        if element.tag == "script":
            assert (
                element.get("src").startswith("/static/") and "defer" in element.attributes and not element.text.strip()
            )


@every_page
@pytest.mark.row("WB-13")
def test_it_loads_from_here_alone(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    for element in found.elements:
        loaded = [element.get("src"), element.get("srcset"), element.get("href") if element.tag == "link" else ""]
        if element.get("id") == "client-logo":
            assert page == PAGES["consent"] or page[0] == "authorize/consent.html", (
                "no stranger's picture beside a password or a code"
            )
            assert element.get("referrerpolicy") == "no-referrer"
        else:
            assert all(url == "" or url.startswith("/static/") for url in loaded)
    assert not found.all("iframe") + found.all("object") + found.all("embed") + found.all("base")


@every_page
@pytest.mark.row("WB-09", "WB-10")
def test_every_form_is_a_post_with_a_csrf_field(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    for form in found.all("form"):
        assert form.get("method") == "post"
        names = [field.get("name") for field in found.within(form, "input")]
        if page[0] == "authorize/form_post.html":
            assert "csrf_token" not in names, "our token is not for the app"
        else:
            assert names[0] == "csrf_token"
            assert form.get("action") in ("/login", "/consent", "/logout", "/language")


@every_page
def test_controls_are_no_more_than_html_allows(ground: Flask, page: Sample) -> None:
    found = page_of(ground, page)
    for button in found.all("button"):
        assert not [
            e.tag
            for e in found.elements
            if button in e.parents and e.tag in ("div", "p", "a", "button", "input", "form")
        ]
    for form in found.all("form"):
        assert not found.within(form, "form")


@every_page
def test_its_words_are_calm_and_link_to_nothing_that_does_not_exist(ground: Flask, page: Sample) -> None:
    text = render(ground, page)
    body = text.partition("<body>")[2]
    assert "!" not in "".join(element.text for element in Page(text).all("main"))
    for word in ("Forgot", "passkey", "Create an account", "Help"):
        assert word not in body
    addresses = {link.get("href") for link in Page(text).all("a") if link.get("href").startswith("/")}
    assert addresses <= {"/login"}
