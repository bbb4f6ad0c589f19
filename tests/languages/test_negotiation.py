"""What people, apps and browsers ask for is read strictly, within bounds, and never ends in an error."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.languages import SUPPORTED
from oidc_server.languages.negotiation import of_accept_language, of_locale, of_ui_locales

HOSTILE = [
    "../../etc/passwd",
    "{{7*7}}",
    "<script>",
    "de\0",
    "de\n",
    "d",
    "deutsch-und-mehr",
    "de--at",
    "-de",
    "de-",
    "dé",
]


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("DE", "de"), ("de-AT", "de"), ("ar_EG", "ar"), ("ja-Jpan-JP", "ja"), ("nl", None), ("deu", None)],
)
def test_a_locale_is_cut_to_the_language_that_we_speak(locale: str, language: str | None) -> None:
    assert of_locale(locale) == language


@pytest.mark.parametrize("locale", [*HOSTILE, "", None, 7, ["de"], "de" + "-aaaa" * 300])
def test_what_is_no_locale_is_no_language(locale: object) -> None:
    assert of_locale(locale) is None


@pytest.mark.spec("OIDC Core §3.1.2.1")
@pytest.mark.parametrize(
    ("ui_locales", "language"),
    [
        ("fr-CA fr en", "fr"),
        ("se nl ja de", "ja"),
        ("se", None),
        ("", None),
        ("  de", "de"),
        ("<script> es", "es"),
        ("x" * 2000, None),
        ("de " * 400, None),
    ],
)
def test_the_first_of_the_ui_locales_that_we_speak_counts(ui_locales: str, language: str | None) -> None:
    assert of_ui_locales(ui_locales) == language


@pytest.mark.spec("RFC 9110 §12.5.4")
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("da, en-gb;q=0.8, en;q=0.7", "en"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("en;q=0.5,de;q=0.501", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr"),
        ("es , ja", "es"),
        ("ja;q=1.000", "ja"),
        ("ar ; q=0.3", "ar"),
        ("de;q=0, en", "en"),
        ("de-AT, de;q=0", None),
        ("de;q=0.0", None),
        ("*", None),
        ("nl", None),
        ("", None),
        (None, None),
    ],
)
def test_accept_language_is_weighed_by_quality(header: str | None, language: str | None) -> None:
    assert of_accept_language(header) == language


@pytest.mark.parametrize(
    "header",
    ["de;q=2", "de;q=1.5", "de;q=-1", "de;q=0.1234", "de;q=nan", "de;q=1e9", "de;x=1", "de;q=0.5;q=1", "de;", "d e"],
)
def test_a_malformed_range_counts_for_nothing_and_the_others_stay(header: str) -> None:
    assert of_accept_language(header) is None
    assert of_accept_language(f"{header}, es;q=0.1") == "es"


def test_a_header_without_end_is_not_read() -> None:
    started = time.perf_counter()
    for header in ("de," * 100_000, "de-" * 100_000, ";" * 100_000, "a" * 999, "de;q=0." + "0" * 900, "-a" * 499):
        of_accept_language(header)
        of_ui_locales(header)
    assert time.perf_counter() - started < 1
    assert of_accept_language("de" + ",nl" * 400) is None


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    for read in (of_locale, of_ui_locales, of_accept_language):
        assert read(text) in (None, *SUPPORTED)
