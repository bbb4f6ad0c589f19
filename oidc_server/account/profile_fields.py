"""The fields of the profile: how a browser helps to fill each in, and what can be kept (OIDC Core §5.1). Labels are in the template."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import available_timezones

from ..accounts import ClaimRefused
from ..accounts.claims import ADDRESS_MEMBERS, standard_claims
from ..languages import sentences, translate

_LONGEST = 200
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,7}", re.ASCII)

TOO_LONG, NOT_TEXT, NOT_URL, NOT_DATE, NOT_PHONE, NOT_ZONE, NOT_LANGUAGE = sentences(
    "Use at most 200 characters.",
    "This holds a character that nobody sees; type it again.",
    "Write a web address that begins with https://",
    "Write the date as year-month-day, such as 1990-05-31.",
    "Begin with + and the code of the country, such as +44 20 7946 0000.",
    "Choose one of the time zones that are offered.",
    "Choose one of the languages that are offered.",
)


class FieldRefused(ValueError):
    """What was typed cannot be kept; the message is a sentence for the person, in their language."""


@dataclass(frozen=True)
class Field:
    """One field; `name` is the claim or the member of `address`, `autocomplete` HTML's own word for it."""

    name: str
    autocomplete: str
    check: Callable[[str], str]
    type: str = "text"


def read(field: Field, typed: str) -> str | None:
    """What was typed, as it is kept; None for nothing. Raises FieldRefused."""
    text = typed.replace("\r\n", "\n").strip()
    if not text:
        return None
    if len(text) > _LONGEST:
        raise FieldRefused(translate(TOO_LONG))
    try:
        kept = field.check(text)
        # The store has the last word about every claim.
        standard_claims({"address": {field.name: kept}} if field.name in ADDRESS_MEMBERS else {field.name: kept})
    except ClaimRefused as error:
        raise FieldRefused(translate(NOT_TEXT)) from error
    return kept


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The time zones by their names, without those that are only older names or offsets."""
    areas = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return tuple(sorted(zone for zone in available_timezones() if zone.partition("/")[0] in areas or zone == "UTC"))


def _text(text: str) -> str:
    return text


def _url(text: str) -> str:
    try:
        standard_claims({"website": text})
    except ClaimRefused as error:
        raise FieldRefused(translate(NOT_URL)) from error
    return text


def _date(text: str) -> str:
    """A whole date, one without its year (0000), or the year alone, as OIDC Core §5.1 allows."""
    try:
        standard_claims({"birthdate": text})
        # 2000 has a 29 February.
        day = date.fromisoformat(text.replace("0000", "2000", 1) if text.startswith("0000-") else f"{text}-01-01"[:10])
    except ValueError as error:  # ClaimRefused is one
        raise FieldRefused(translate(NOT_DATE)) from error
    return text if day else ""


def _phone(text: str) -> str:
    digits = re.sub(r"[\s()./-]", "", text)
    if not _PHONE.fullmatch(digits):
        raise FieldRefused(translate(NOT_PHONE))
    return digits


def _zone(text: str) -> str:
    if text not in zones():
        raise FieldRefused(translate(NOT_ZONE))
    return text


def _locale(text: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise FieldRefused(translate(NOT_LANGUAGE))
    return text


FIELDS: tuple[Field, ...] = (
    Field("name", "name", _text),
    Field("given_name", "given-name", _text),
    Field("middle_name", "additional-name", _text),
    Field("family_name", "family-name", _text),
    Field("nickname", "nickname", _text),
    Field("gender", "sex", _text),
    Field("birthdate", "bday", _date),
    Field("profile", "url", _url, "url"),
    Field("picture", "photo", _url, "url"),
    Field("website", "url", _url, "url"),
    Field("phone_number", "tel", _phone, "tel"),
    Field("zoneinfo", "off", _zone),
    Field("locale", "language", _locale),
    Field("formatted", "off", _text),
    Field("street_address", "street-address", _text),
    Field("locality", "address-level2", _text),
    Field("region", "address-level1", _text),
    Field("postal_code", "postal-code", _text),
    Field("country", "country-name", _text),
)
