"""Times and numbers in words: `relative_time`, `exact_time`, `iso_time` and `number` for templates.

Times are epoch seconds. Exact ones are in the zone of the person (claim `zoneinfo`) where it is known, else in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import Flask

from .. import languages
from ..database import now
from . import sentences, translate

_MINUTE, _HOUR, _DAY, _MONTH, _YEAR = 60, 3600, 86400, 30.44 * 86400, 365.25 * 86400
MONTHS = sentences(
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Thousands and decimals (CLDR); Arabic with the digits that codes and addresses have, too.
_SEPARATORS = {"de": (".", ","), "es": (".", ","), "fr": ("\u202f", ",")}


def relative_time(at: float) -> str:
    """How long ago, or how far ahead, in a few words: "5 minutes ago"."""
    distance = at - now()
    return _ahead(distance) if distance > 0 else _ago(-distance)


def _ago(seconds: float) -> str:
    if seconds < 45:
        return translate("just now")
    if seconds < 1.5 * _MINUTE:
        return translate("a minute ago")
    if seconds < 59.5 * _MINUTE:
        return translate("%(minutes)s minutes ago", minutes=round(seconds / _MINUTE))
    if seconds < 1.5 * _HOUR:
        return translate("an hour ago")
    if seconds < 23.5 * _HOUR:
        return translate("%(hours)s hours ago", hours=round(seconds / _HOUR))
    if seconds < 1.5 * _DAY:
        return translate("a day ago")
    if seconds < 29.5 * _DAY:
        return translate("%(days)s days ago", days=round(seconds / _DAY))
    if seconds < 1.5 * _MONTH:
        return translate("a month ago")
    if seconds < 11.5 * _MONTH:
        return translate("%(months)s months ago", months=round(seconds / _MONTH))
    if seconds < 1.5 * _YEAR:
        return translate("a year ago")
    return translate("%(years)s years ago", years=round(seconds / _YEAR))


def _ahead(seconds: float) -> str:
    if seconds < 45:
        return translate("in a moment")
    if seconds < 1.5 * _MINUTE:
        return translate("in a minute")
    if seconds < 59.5 * _MINUTE:
        return translate("in %(minutes)s minutes", minutes=round(seconds / _MINUTE))
    if seconds < 1.5 * _HOUR:
        return translate("in an hour")
    if seconds < 23.5 * _HOUR:
        return translate("in %(hours)s hours", hours=round(seconds / _HOUR))
    if seconds < 1.5 * _DAY:
        return translate("in a day")
    if seconds < 29.5 * _DAY:
        return translate("in %(days)s days", days=round(seconds / _DAY))
    if seconds < 1.5 * _MONTH:
        return translate("in a month")
    if seconds < 11.5 * _MONTH:
        return translate("in %(months)s months", months=round(seconds / _MONTH))
    if seconds < 1.5 * _YEAR:
        return translate("in a year")
    return translate("in %(years)s years", years=round(seconds / _YEAR))


def exact_time(at: float) -> str:
    """Day, time and zone: "23 November 2025, 12:30 UTC"."""
    local = datetime.fromtimestamp(at, UTC).astimezone(_zone(languages.person().get("zoneinfo")))
    return translate(
        "%(day)s %(month)s %(year)s, %(time)s",
        day=local.day,
        month=translate(MONTHS[local.month - 1]),
        year=local.year,
        time=local.strftime("%H:%M %Z"),
    )


def iso_time(at: float) -> str:
    """The time for machines, as the `datetime` of a <time> element wants it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """A number with the separators of the language: 1,234.5 or 1.234,5."""
    thousands, decimal = _SEPARATORS.get(languages.current(), (",", "."))
    if languages.current() == "es" and abs(value) < 10_000:
        thousands = ""  # Spanish groups from five digits on
    return f"{value:,}".translate({ord(","): thousands, ord("."): decimal})


def _zone(name: object) -> tzinfo:
    return _known_zone(name) if isinstance(name, str) and len(name) <= 64 else UTC


@lru_cache(maxsize=64)
def _known_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # no such zone, or no name of a zone at all
        return UTC


def mount(app: Flask) -> None:
    app.jinja_env.filters.update(relative_time=relative_time, exact_time=exact_time, iso_time=iso_time, number=number)
