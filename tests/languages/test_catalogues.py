"""Every sentence of pages, mails and Python is in every catalogue, and every catalogue says what is still said."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from oidc_server.languages import DIRECTIONS, NAMES, SUPPORTED
from oidc_server.languages.catalogues import load
from oidc_server.languages.extraction import Use, in_python, in_template, problems, report, texts, uses

from ..ground import TEMPLATES

OTHERS = [language for language in SUPPORTED if language != "en"]
WORD = re.compile(r"[^\W\d_]{2,}")
SPOKEN_ATTRIBUTES = {"alt", "title", "placeholder", "aria-label", "aria-description", "aria-roledescription"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated_with_its_placeholders_and_none_is_dead(language: str) -> None:
    said = uses()
    assert len(said) > 100
    assert problems(language, said) == []


def test_every_placeholder_is_given_a_value_where_the_sentence_is_said() -> None:
    assert [line for line in report() if "is not given" in line] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_text_alone(language: str) -> None:
    for sentence, entry in load(language).items():
        for text in texts(entry):
            assert text == text.strip() and text, sentence
            assert not re.search(r"[<>]|&\w+;|\n|%(?!\()", text), sentence
            assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), sentence


@pytest.mark.parametrize(("language", "letters"), [("ja", r"[\u3040-\u30ff\u4e00-\u9fff]"), ("ar", r"[\u0600-\u06ff]")])
def test_each_translation_is_in_the_letters_of_its_language(language: str, letters: str) -> None:
    for sentence, entry in load(language).items():
        for text in texts(entry):
            assert re.search(letters, text) or not re.search(r"\w", re.sub(r"%\(\w+\)s", "", text)), sentence


@pytest.mark.parametrize(
    ("language", "familiar"),
    [
        ("de", r"\b(du|dich|dir|dein\w*|euch|euer)\b"),
        ("fr", r"\b(tu|te|toi|ton|ta|tes)\b"),
        ("es", r"\b(tú|te|ti|tu|tus|vosotros)\b"),
    ],
)
def test_people_are_addressed_formally(language: str, familiar: str) -> None:
    found = [text for entry in load(language).values() for text in texts(entry)]
    assert [text for text in found if re.search(familiar, text, re.IGNORECASE)] == []


def test_no_language_shouts() -> None:
    for language in SUPPORTED:
        for sentence, entry in load(language).items():
            assert not [text for text in (sentence, *texts(entry)) if re.search("[!！¡]", text)]


def test_the_extractor_sees_every_way_a_sentence_is_said() -> None:
    python = 'translate("One %(a)s", a=1)\nlanguages.translate("Two" if x else "Three")\nsentences("Four", "Five")\n'
    assert [use.sentence for use in in_python(python, "x")] == ["One %(a)s", "Two", "Three", "Four", "Five"]
    template = '{% macro m() %}<a title="{{ _("One %(a)s", a=b) }}">{{ _("Two" if x else "Three") }}</a>{% endmacro %}'
    found = list(in_template(Environment(autoescape=True), template, "x"))
    assert found[0] == Use("One %(a)s", "x:1", frozenset({"a"}))
    assert [use.sentence for use in found] == ["One %(a)s", "Two", "Three"]


def test_what_is_wrong_with_a_catalogue_is_named() -> None:
    said = [Use("Signed in as %(name)s", "here:1", frozenset({"name"}))]
    assert "missing: 'Signed in as %(name)s' (here:1)" in problems("de", said)
    assert any(line.startswith("dead: 'Sign in'") for line in problems("de", said))


class Bare(HTMLParser):
    """Collects the words of a template that stand outside every expression."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._foreign = 0  # within code, or an element that says that it is English in every language
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._foreign += self._foreign > 0 or tag == "code" or ("lang", "en") in attrs
        self.words += [word for name, value in attrs if name in SPOKEN_ATTRIBUTES for word in WORD.findall(value or "")]

    def handle_endtag(self, tag: str) -> None:
        self._foreign -= self._foreign > 0

    def handle_data(self, data: str) -> None:
        if not self._foreign:
            self.words += WORD.findall(data)


def bare_words(path: Path) -> list[str]:
    tree = Environment(autoescape=True).parse(path.read_text("utf-8"))
    # An expression leaves a digit, so that words on both sides of it stay apart and attributes stay closed.
    pieces = [
        node.data if isinstance(node, nodes.TemplateData) else "0"
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
    ]
    text = re.sub(r"<(br|hr|img|input|meta|link)\b", r"<x-\1", "".join(pieces))
    return WORD.findall(text) if path.suffix == ".txt" else Bare(text).words


# dev/ is for the developer of this server alone, and in English.
TEMPLATE_FILES = sorted(
    path for path in TEMPLATES.rglob("*") if path.suffix in (".html", ".txt") and path.parent.name != "dev"
)


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_word_of_a_template_stands_outside_a_sentence(path: Path) -> None:
    assert bare_words(path) == []


def test_a_bare_word_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<p title="Hover">{{ _("Said") }} Bare <code lang="en">code</code></p>', "utf-8")
    assert bare_words(page) == ["Hover", "Bare"]


def test_every_language_has_a_name_of_its_own_and_a_direction() -> None:
    assert len(set(NAMES.values())) == len(SUPPORTED) == 6
    assert {language for language in SUPPORTED if DIRECTIONS[language] == "rtl"} == {"ar"}
