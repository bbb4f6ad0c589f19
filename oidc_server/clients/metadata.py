"""Client metadata in, validated metadata out: every check of a registration, the same for create and update.

RFC 7591 §2, OpenID Connect Registration §2. Unknown names are dropped (RFC 7591 §2); names whose meaning would be lost
in silence are refused with a sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from .. import themes
from ..settings import Settings
from . import keys, redirect_uris
from .authentication import METHODS
from .models import split_scope

MAX_URIS = 50
MAX_NAME = 100
MAX_SECONDS = 10 * 366 * 86400

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", "password")
DEFAULT_SCOPE = "openid profile email"

#: Names that cannot be honoured, and what to do instead.
_REFUSED = {
    "jwks_uri": "jwks_uri is not supported; register the keys themselves as jwks.",
    "sector_identifier_uri": "sector_identifier_uri is not supported; the subject type is public.",
    "request_uris": "request_uris is not supported; send the parameters in the authorization request.",
    "software_statement": "software_statement is not supported; send the metadata themselves.",
}
#: Names that are kept as they were given, for the registration answer alone.
_KEPT = ("application_type", "software_id", "software_version")


class InvalidMetadata(ValueError):
    """Metadata must not be registered; `error` is the code of RFC 7591 §3.2.2, the text a plain sentence."""

    error = "invalid_client_metadata"


class InvalidRedirectUri(InvalidMetadata):
    """A redirect URI must not be registered."""

    error = "invalid_redirect_uri"


def validated(document: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The columns of a Client made of RFC 7591 metadata, defaults filled in; a null counts as left out.

    Raises InvalidMetadata or InvalidRedirectUri.
    """
    given = {name: value for name, value in document.items() if value is not None}
    for name, sentence in _REFUSED.items():
        if name in given:
            raise InvalidMetadata(sentence)
    if given.get("subject_type", "public") != "public":
        raise InvalidMetadata("subject_type must be public.")
    method = _choice(given, "token_endpoint_auth_method", METHODS, "client_secret_basic")
    grant_types = _choices(given, "grant_types", GRANT_TYPES, ["authorization_code"])
    columns = {
        "client_name": _text(given, "client_name", MAX_NAME),
        "token_endpoint_auth_method": method,
        "token_endpoint_auth_signing_alg": _signing_algorithm(given, method),
        "grant_types": grant_types,
        "response_types": _response_types(given, grant_types),
        "redirect_uris": _redirect_uris(given, "redirect_uris"),
        "post_logout_redirect_uris": _redirect_uris(given, "post_logout_redirect_uris"),
        "scope": _scope(given, grant_types),
        "default_resource": _resource(given),
        "jwks": _jwks(given),
        "id_token_signed_response_alg": _id_token_algorithm(given, settings),
        **{name: _web_uri(given, name) for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri")},
        "contacts": _contacts(given),
        "require_pkce": _flag(given, "require_pkce"),
        "default_max_age": _seconds(given, "default_max_age"),
        "require_auth_time": bool(_flag(given, "require_auth_time")),
        "metadata_extra": {
            **{name: text for name in _KEPT if (text := _text(given, name, 255))},
            **_theme(given, settings),
            **({"require_second_factor": True} if _flag(given, "require_second_factor") else {}),
        },
    }
    _check_together(columns)
    return columns


def _check_together(columns: Mapping[str, Any]) -> None:
    method, grant_types = columns["token_endpoint_auth_method"], columns["grant_types"]
    if "authorization_code" in grant_types and not columns["redirect_uris"]:
        raise InvalidRedirectUri("The authorization_code grant needs at least one of redirect_uris.")
    if method == "none" and "client_credentials" in grant_types:
        raise InvalidMetadata("A client without authentication cannot have the client_credentials grant.")
    if method == "none" and columns["require_pkce"] is False:
        raise InvalidMetadata("A client without authentication cannot be exempt from PKCE.")
    if method == "private_key_jwt":
        wanted = columns["token_endpoint_auth_signing_alg"]
        allowed = [wanted] if wanted else METHODS[method].signing_algorithms
        if not any(keys.suits(columns["jwks"], algorithm) for algorithm in allowed):
            raise InvalidMetadata("private_key_jwt needs jwks with a public key for the signing algorithm.")


def _choice(given: Mapping[str, Any], name: str, allowed: Collection[str], default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise InvalidMetadata(f"{name} must be one of: {', '.join(allowed)}.")
    return value


def _choices(given: Mapping[str, Any], name: str, allowed: Collection[str], default: list[str]) -> list[str]:
    values = given.get(name, default)
    if not isinstance(values, list) or not all(isinstance(value, str) and value in allowed for value in values):
        raise InvalidMetadata(f"{name} must be a list out of: {', '.join(allowed)}.")
    return list(dict.fromkeys(values))


def _signing_algorithm(given: Mapping[str, Any], method: str) -> str | None:
    name = "token_endpoint_auth_signing_alg"
    if name not in given:
        return None
    algorithms = METHODS[method].signing_algorithms
    if not algorithms:
        raise InvalidMetadata(f"{name} is for private_key_jwt and client_secret_jwt only.")
    return _choice(given, name, algorithms, "")


def _id_token_algorithm(given: Mapping[str, Any], settings: Settings) -> str:
    ours = settings.signing_algorithms
    return _choice(given, "id_token_signed_response_alg", ours, "RS256" if "RS256" in ours else ours[0])


def _response_types(given: Mapping[str, Any], grant_types: list[str]) -> list[str]:
    has_code = "authorization_code" in grant_types
    values = _choices(given, "response_types", ("code",), ["code"] if has_code else [])
    if ("code" in values) != has_code:  # RFC 7591 §2.1
        raise InvalidMetadata("response_types must be code exactly if grant_types has authorization_code.")
    return values


def _redirect_uris(given: Mapping[str, Any], name: str) -> list[str]:
    values = given.get(name, [])
    if not isinstance(values, list) or len(values) > MAX_URIS:
        raise InvalidRedirectUri(f"{name} must be a list of at most {MAX_URIS} URIs.")
    try:
        return list(dict.fromkeys(redirect_uris.require_redirect_uri(value) for value in values))
    except redirect_uris.InvalidUri as error:
        raise InvalidRedirectUri(f"{name}: {error}") from error


def _web_uri(given: Mapping[str, Any], name: str) -> str | None:
    if name not in given:
        return None
    try:
        return redirect_uris.require_web_uri(given[name])
    except redirect_uris.InvalidUri as error:
        raise InvalidMetadata(f"{name}: {error}") from error


def _resource(given: Mapping[str, Any]) -> str | None:
    value = given.get("default_resource")
    if value is None:
        return None
    if not redirect_uris.is_absolute_uri(value) or len(value) > 255:  # RFC 8707 §2
        raise InvalidMetadata("default_resource must be an absolute URI without fragment.")
    return str(value)


def _scope(given: Mapping[str, Any], grant_types: list[str]) -> str:
    people = {"authorization_code", "password"} & set(grant_types)
    value = given.get("scope", DEFAULT_SCOPE if people else "")
    if value == "":
        return ""
    names = split_scope(value) if isinstance(value, str) else None
    if names is None:
        raise InvalidMetadata("scope must be at most 100 names of printable ASCII, separated by single spaces.")
    return " ".join(names)


def _jwks(given: Mapping[str, Any]) -> dict[str, Any] | None:
    if "jwks" not in given:
        return None
    try:
        return keys.require_public_keys(given["jwks"])
    except keys.InvalidKeys as error:
        raise InvalidMetadata(str(error)) from error


def _contacts(given: Mapping[str, Any]) -> list[str]:
    values = given.get("contacts", [])
    if not isinstance(values, list) or len(values) > 10:
        raise InvalidMetadata("contacts must be a list of at most 10 texts.")
    return [_display_text("contacts", value, 254) for value in values]


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    return _display_text(name, given[name], most) if name in given else ""


def _display_text(name: str, value: Any, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most or value != value.strip():
        raise InvalidMetadata(f"{name} must be a text of 1 to {most} characters without spaces around it.")
    if any(_is_deceptive(character) for character in value):
        raise InvalidMetadata(f"{name} must not have control characters or characters that change its direction.")
    return value


def _is_deceptive(character: str) -> bool:
    # U+200C and U+200D shape Persian and Indic names and emoji; every other format character hides or reverses.
    category = unicodedata.category(character)
    return (category[0] == "C" or category in ("Zl", "Zp")) and character not in "\u200c\u200d"


def _theme(given: Mapping[str, Any], settings: Settings) -> dict[str, str]:
    """Our own metadata, for operators: how the pages of this client look. Never to be taken from a client that registers itself."""
    if "theme" not in given:
        return {}
    return {
        "theme": _choice(given, "theme", sorted(themes.names_in(settings)) or ["(no theme in OIDC_THEMES_DIR)"], "")
    }


def _flag(given: Mapping[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidMetadata(f"{name} must be true or false.")
    return value


def _seconds(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SECONDS):
        raise InvalidMetadata(f"{name} must be a whole number of seconds.")
    return value
