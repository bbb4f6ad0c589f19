"""The catalogues: English sentence to translation, one JSON file for each language, read once.

A translation is a text, or one text for each plural category of the language (CLDR), chosen by the whole number among the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

Text = TypeVar("Text", bound=str)
_LONE_PERCENT = re.compile(r"%(?!\(\w+\)s)")
Entry = str | dict[str, str]

ENGLISH = "en"
FOLDER = Path(__file__).parent / "catalogues"
#: Language -> its own name, in the order that the choice offers them.
NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "ja": "日本語", "ar": "العربية"}
SUPPORTED = tuple(NAMES)
DIRECTIONS = {language: "rtl" if language == "ar" else "ltr" for language in SUPPORTED}


def _arabic(number: int) -> str:
    if number in (0, 1, 2):
        return ("zero", "one", "two")[number]
    if 3 <= number % 100 <= 10:
        return "few"
    return "many" if number % 100 >= 11 else "other"


#: The categories that a catalogue may use, and which of them a number has (CLDR, cardinals of whole numbers).
CATEGORIES = {"ar": ("zero", "one", "two", "few", "many", "other")}
_CATEGORY: dict[str, Callable[[int], str]] = {"ar": _arabic}


@cache
def load(language: str) -> Mapping[str, Entry]:
    """The catalogue of a language; English has none, its sentences are the keys."""
    if language == ENGLISH:
        return {}
    found: dict[str, Entry] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return found


def find(language: str, sentence: str, values: Mapping[str, object]) -> str:
    """The translation with its placeholders; the sentence itself where there is none."""
    entry = load(language).get(sentence, sentence)
    if isinstance(entry, str):
        return entry
    numbers = [value for value in values.values() if isinstance(value, int) and not isinstance(value, bool)]
    category = _CATEGORY[language](abs(numbers[0])) if numbers and language in _CATEGORY else "other"
    return entry.get(category, entry["other"])


def fill(found: str, sentence: str, values: Mapping[str, object], wrap: Callable[[str], Text]) -> Text:
    """The text with its values; a translation that does not fit them gives way to the English sentence, and nothing is raised.

    `wrap` makes what takes the values: str, or markupsafe.escape, whose text escapes them.
    """
    for text in (found, sentence) if values else ():
        try:
            return wrap(_LONE_PERCENT.sub("%%", text)) % values  # type: ignore[return-value]  # Markup stays Markup
        except KeyError:
            continue
    return wrap(found if not values else sentence)
