"""client_secret_basic: identifier and secret in the Authorization header. RFC 6749 §2.3.1, RFC 7617."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from ..models import Client, ClientSecret
from .method import Failed, Method, Presented
from .shared_secret import require_secret

# One space, the standard alphabet, nothing else: two headers that a server joined with a comma do not pass.
_BASIC = re.compile(r"Basic ([A-Za-z0-9+/]+={0,2})", re.IGNORECASE | re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _claimed_id(presented: Presented) -> str:
    return _read(presented)[0]


def _prove(client: Client | None, presented: Presented) -> ClientSecret:
    return require_secret(client, _read(presented)[1])


def _read(presented: Presented) -> tuple[str, str]:
    if presented.basic is None:
        presented.basic = _parsed(presented)
    return presented.basic


def _parsed(presented: Presented) -> tuple[str, str]:
    found = _BASIC.fullmatch(presented.headers.get("Authorization", ""))
    if found is None:
        raise Failed("Authorization header is not Basic")
    try:
        raw = base64.b64decode(found[1], validate=True)
        if base64.b64encode(raw).decode("ascii") != found[1]:
            raise binascii.Error("stray bits or padding")
        text = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise Failed("Authorization header is not base64 of UTF-8") from None
    client_id, colon, client_secret = text.partition(":")
    if not colon or "\0" in text:
        raise Failed("Authorization header has no identifier and secret")
    return _form_decoded(client_id), _form_decoded(client_secret)


def _form_decoded(text: str) -> str:
    # RFC 6749 §2.3.1: both are form-encoded first, so that an identifier may have a colon.
    if "%" not in text:
        return text.replace("+", " ")
    if _BROKEN_ESCAPE.search(text):
        raise Failed("Authorization header is not form-encoded")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("Authorization header is not form-encoded UTF-8") from None
    if "\0" in decoded:
        raise Failed("Authorization header contains NUL")
    return decoded


METHOD = Method(
    name="client_secret_basic",
    credential="authorization header",
    is_presented=lambda presented: presented.has_authorization_header,
    claimed_id=_claimed_id,
    prove=_prove,
    has_secret=True,
)
