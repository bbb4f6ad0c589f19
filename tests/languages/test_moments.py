"""Times and numbers in words, in every language."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server import languages
from oidc_server.languages import SUPPORTED, translate, using
from oidc_server.languages.catalogues import _arabic
from oidc_server.languages.moments import exact_time, iso_time, number, relative_time

from ..flows import Clock

NOVEMBER = 1763901000.0  # 2025-11-23T12:30:00Z
HOUR, DAY = 3600, 86400


@pytest.fixture
def standing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oidc_server.database.clock", lambda: NOVEMBER)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (44, "just now"),
        (60, "a minute ago"),
        (89, "a minute ago"),
        (90, "2 minutes ago"),
        (59 * 60, "59 minutes ago"),
        (HOUR, "an hour ago"),
        (5 * HOUR, "5 hours ago"),
        (DAY, "a day ago"),
        (6 * DAY, "6 days ago"),
        (31 * DAY, "a month ago"),
        (61 * DAY, "2 months ago"),
        (365 * DAY, "a year ago"),
        (3 * 365.25 * DAY, "3 years ago"),
        (-10, "in a moment"),
        (-600, "in 10 minutes"),
        (-2 * HOUR, "in 2 hours"),
        (-DAY, "in a day"),
        (-40 * DAY, "in a month"),
        (-400 * DAY, "in a year"),
    ],
)
def test_a_distance_is_told_in_few_words(standing: None, seconds: float, words: str) -> None:
    assert relative_time(NOVEMBER - seconds) == words


def test_it_never_counts_one_of_something_or_sixty_of_the_smaller(standing: None) -> None:
    told = {relative_time(NOVEMBER + sign * step * 30) for step in range(100_000) for sign in (1, -1)}
    assert not {words for words in told if words.split()[-1 if words.startswith("in") else 0] in ("1", "0")}
    assert not {
        words for words in told if words.startswith(("60 m", "24 h", "12 mo", "in 60 m", "in 24 h", "in 12 mo"))
    }
    assert len(told) > 100


@pytest.mark.parametrize(
    ("language", "five", "date"),
    [
        ("de", "vor 5 Minuten", "23. November 2025, 12:30 UTC"),
        ("fr", "il y a 5 minutes", "23 novembre 2025, 12:30 UTC"),
        ("es", "hace 5 minutos", "23 de noviembre de 2025, 12:30 UTC"),
        ("ja", "5分前", "2025年11月23日 12:30 UTC"),
        ("ar", "قبل 5 دقائق", "23 نوفمبر 2025، 12:30 UTC"),
    ],
)
def test_every_language_tells_times_its_own_way(standing: None, language: str, five: str, date: str) -> None:
    with using(language):
        assert relative_time(NOVEMBER - 300) == five
        assert exact_time(NOVEMBER) == date


@pytest.mark.parametrize(
    ("count", "words"),
    [(2, "قبل دقيقتين"), (3, "قبل 3 دقائق"), (10, "قبل 10 دقائق"), (11, "قبل 11 دقيقة"), (59, "قبل 59 دقيقة")],
)
def test_arabic_has_a_dual_and_two_plurals(standing: None, count: int, words: str) -> None:
    with using("ar"):
        assert relative_time(NOVEMBER - count * 60) == words


def test_the_arabic_categories_are_those_of_cldr() -> None:
    found = {number: _arabic(number) for number in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 110, 111, 199, 200, 1003)}
    assert list(found.values()) == [
        *("zero", "one", "two", "few", "few", "many", "many", "other"),
        *("other", "few", "few", "many", "many", "other", "few"),
    ]


def test_the_exact_time_is_in_the_zone_of_the_person(app: Flask) -> None:
    with app.test_request_context():
        assert exact_time(NOVEMBER) == "23 November 2025, 12:30 UTC"
        languages.learn(person={"zoneinfo": "Europe/Berlin"})
        assert exact_time(NOVEMBER) == "23 November 2025, 13:30 CET"
        for zone in ("Nowhere/At_All", "../../etc/passwd", "/etc/localtime", "x" * 500, 7, None, ["UTC"]):
            languages.learn(person={"zoneinfo": zone})
            assert exact_time(NOVEMBER) == "23 November 2025, 12:30 UTC"


def test_machines_get_the_time_too() -> None:
    assert iso_time(NOVEMBER) == "2025-11-23T12:30:00Z"


def test_numbers_have_the_separators_of_the_language() -> None:
    told = {}
    for language in SUPPORTED:
        with using(language):
            told[language] = [number(1234), number(1234567.5)]
    assert told == {
        "en": ["1,234", "1,234,567.5"],
        "de": ["1.234", "1.234.567,5"],
        "fr": ["1\u202f234", "1\u202f234\u202f567,5"],
        "es": ["1234", "1.234.567,5"],
        "ja": ["1,234", "1,234,567.5"],
        "ar": ["1,234", "1,234,567.5"],
    }


def test_templates_have_them_all(app: Flask) -> None:
    template = app.jinja_env.from_string('{% import "_parts.html" as parts %}{{ parts.moment(at) }} {{ 1234|number }}')
    with app.test_request_context():
        assert template.render(at=NOVEMBER).startswith(
            '<time datetime="2025-11-23T12:30:00Z" title="23 November 2025, 12:30 UTC">'
        )


def test_a_translation_that_does_not_fit_gives_way_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"Hello %(name)s": "Hallo %(nom)s"}
    monkeypatch.setattr("oidc_server.languages.catalogues.load", lambda language: broken)
    with using("de"):
        assert translate("Hello %(name)s", name="Alice") == "Hello Alice"
        assert translate("Nobody %(else)s", name="Alice") == "Nobody %(else)s"
        assert translate("100% sure") == "100% sure"
        assert translate("100% sure", name="Alice") == "100% sure"
