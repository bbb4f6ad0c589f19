"""Each kind of mail has its templates, which say in text and in HTML what the brief of mails wants, in every language."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import meta

from oidc_server.languages import DIRECTIONS
from oidc_server.languages.catalogues import FOLDER
from oidc_server.mail import FACTORS, KINDS
from oidc_server.mail.contents import Contents
from oidc_server.mail.rendering import render
from oidc_server.settings import ROOT

from .conftest import CODE, LINK

TEMPLATES = ROOT / "templates" / "mail"
VALUES = {
    "link": LINK,
    "code": CODE,
    "ends_at": 2_000_000_000.0,
    "at": 1_900_000_000.0,
    "network": "192.0.2.7",
    "new_email": "new@example.test",
    "device": "Firefox on Linux",
    "factor": "totp",
}
SPOKEN = sorted(language for language in DIRECTIONS if language == "en" or (FOLDER / f"{language}.json").exists())


def values_of(kind: str, *, with_optional: bool = True) -> dict[str, object]:
    names = {name.removesuffix("?") for name in KINDS[kind] if with_optional or not name.endswith("?")}
    return {name: VALUES[name] for name in names}


def rendered(app: Flask, kind: str, language: str = "en", **changes: object) -> Contents:
    with app.app_context():
        return render(kind, values_of(kind) | changes, language, app.extensions["oidc_server"].settings)


class Words(HTMLParser):
    """The text of a page without its head, and whether its tags are nested as they should be."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "body" in self.open:
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())


def test_every_kind_has_both_templates_and_every_template_a_kind() -> None:
    found = {path.name for path in TEMPLATES.iterdir() if path.stem not in ("layout", "_parts")}
    assert found == {f"{kind}.{ending}" for kind in KINDS for ending in ("txt", "html")}


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_a_template_uses_the_values_of_its_kind_and_no_others(app: Flask, path: Path) -> None:
    given = {"_", "self", "parts", "issuer", "issuer_host", "request_locale", "request_direction"}
    used = meta.find_undeclared_variables(app.jinja_env.parse(path.read_text("utf-8"))) - given
    assert used == {name.removesuffix("?") for name in KINDS.get(path.stem, ())}


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_say_the_same_words(app: Flask, kind: str, language: str) -> None:
    contents = rendered(app, kind, language)
    shown = Words(contents.html).text.split()
    written = (contents.subject + " " + contents.text.replace("-- \n", "")).split()

    # A button is its label in HTML, and its label with a colon in text.
    def plain(words: list[str]) -> list[str]:
        return [word.rstrip(":：") for word in words]

    assert plain(shown) == plain(written)


@pytest.mark.parametrize("kind", KINDS)
def test_each_value_of_a_kind_is_said(app: Flask, kind: str) -> None:
    contents = rendered(app, kind)
    said = contents.text + contents.html
    shown = {"link": LINK, "code": "1234 5678", "ends_at": "18 May 2033, 03:33 UTC", "at": "17 March 2030, 17:46 UTC"}
    for name in values_of(kind):
        text = {"factor": "authenticator app"}.get(name) or shown.get(name) or str(VALUES[name])
        assert said.count(text) >= 2, f"{name} is not in text and HTML"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "test"])
def test_each_mail_says_what_to_do_if_it_was_not_you(app: Flask, kind: str) -> None:
    assert re.search(r"If it was not you|If you did not expect this", rendered(app, kind).text)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "test"])
def test_each_mail_has_one_button_and_the_same_link_as_text(app: Flask, kind: str) -> None:
    html = rendered(app, kind).html
    buttons = re.findall(r'<a href="([^"]*)" style="display:inline-block[^"]*">', html)
    assert len(buttons) == 1
    assert f">{buttons[0]}</a>" in html
    assert f"\n{buttons[0]}\n" in rendered(app, kind).text


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_can_do_without_what_may_be_left_out(app: Flask, kind: str) -> None:
    with app.app_context():
        values = values_of(kind, with_optional=False) | ({"network": None} if "network" in KINDS[kind] else {})
        contents = render(kind, values, "en", app.extensions["oidc_server"].settings)
    assert "None" not in contents.text + contents.html
    assert "the network" not in contents.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_subject_is_one_short_line_without_a_secret(app: Flask, kind: str) -> None:
    subject = rendered(app, kind).subject
    assert 5 < len(subject) < 60
    assert CODE not in subject.replace(" ", "")


@pytest.mark.parametrize("language", SPOKEN)
def test_a_mail_names_its_language_and_its_direction(app: Flask, language: str) -> None:
    html = rendered(app, "reset_password", language).html
    assert f'<html lang="{language}" dir="{DIRECTIONS[language]}">' in html


def test_an_unknown_language_is_english(app: Flask) -> None:
    assert rendered(app, "reset_password", "tlh").subject == "Set a new password"
    with app.app_context():
        assert render("test", {"at": 1.0}, None, app.extensions["oidc_server"].settings).subject


def test_each_factor_has_its_own_sentence(app: Flask) -> None:
    for kind in ("factor_added", "factor_removed"):
        assert len({rendered(app, kind, factor=factor).text for factor in FACTORS}) == len(FACTORS)
    with pytest.raises(ValueError, match="factor is one of"):
        rendered(app, "factor_added", factor="sms")


def test_a_value_too_few_or_too_many_stops_the_mail(app: Flask) -> None:
    with pytest.raises(TypeError, match="the mail password_changed lacks at"), app.app_context():
        render("password_changed", {"network": None}, "en", app.extensions["oidc_server"].settings)
    with pytest.raises(TypeError, match="the mail invitation has no code"):
        rendered(app, "invitation", code=CODE)
    with pytest.raises(KeyError), app.app_context():
        render("../error", {}, "en", app.extensions["oidc_server"].settings)


def test_colours_can_be_read(app: Flask) -> None:
    """WCAG 2.2 §1.4.3: text has a contrast of 4.5 to 1 with what lies behind it."""
    html = rendered(app, "reset_password").html
    behind = {"#ffffff", "#f6f7f9"}
    written = set(re.findall(r"[;\"]color:(#[0-9a-f]{6})", html))
    assert written == {"#1c2030", "#5d6375", "#2f5bd7", "#ffffff"}
    pairs = [(text, back) for text in written - {"#ffffff"} for back in behind] + [("#ffffff", "#2f5bd7")]
    assert all(contrast(*pair) >= 4.5 for pair in pairs)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
