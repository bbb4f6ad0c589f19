"""The one reader of parameters: form-encoded, nothing repeated, nothing in the query, length and UTF-8 checked.

RFC 6749 §3.1, §3.2, appendix B. The bytes are parsed here and nowhere else: werkzeug's `request.values` lets the query
string win over the body and its decoders repair what is broken, and both are ways to show two parts of a server two
different requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from flask import Request
from werkzeug.exceptions import HTTPException

from .errors import ProtocolError
from .form import Form

MAX_BODY = 64 * 1024
MAX_QUERY = 64 * 1024
MAX_FIELDS = 100
MAX_NAME = 128
MAX_VALUE = 8 * 1024
MAX_LONG_VALUE = 16 * 1024

#: Parameters that carry a whole JWT; every other value ends at MAX_VALUE characters.
LONG_VALUES = frozenset(
    {
        "access_token",
        "actor_token",
        "assertion",
        "client_assertion",
        "id_token_hint",
        "request",
        "subject_token",
        "token",
    }
)
#: Values whose length the endpoint judges, because it has an error of its own for them; the size of the request bounds them.
JUDGED_LATER = frozenset({"claims", "scope"})
#: The one parameter that may be sent more than once (RFC 8707 §2).
MAY_REPEAT = frozenset({"resource"})

# Where a request keeps its parameters once they were read.
_FOUND = "oidc.form"
_FORM_TYPE = re.compile(
    r'application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?;?', re.IGNORECASE | re.ASCII
)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_form(request: Request, *, may_repeat: frozenset[str] = MAY_REPEAT, may_be_empty: bool = False) -> Form:
    """The parameters in the body of a request to a machine endpoint (RFC 6749 §3.2).

    `may_be_empty` accepts a request without any body or Content-Type, as UserInfo must (OIDC Core §5.3.1).
    Raises ProtocolError invalid_request: 400, 413 for a body over MAX_BODY bytes, 415 for a compressed one.
    """
    require_no_query(request)
    if may_be_empty and not request.headers.get("Content-Type") and not _has_body(request):
        return Form()
    return _without_duplicates(_form(_body_pairs(request), may_repeat))


def read_page_form(request: Request, *, may_repeat: frozenset[str] = frozenset()) -> Form:
    """The fields of one of our own HTML forms; its address carries no query string.

    Raises ProtocolError invalid_request, which the addresses of pages show as a page.
    """
    return read_form(request, may_repeat=may_repeat)


def read_authorization_parameters(request: Request) -> Form:
    """The parameters of /authorize and /logout: query of a GET, body of a POST (OIDC Core §3.1.2.1), never both.

    Repeated names are left to the caller in `duplicates`, because only a known redirect URI may be sent an error.
    Raises ProtocolError invalid_request when the request cannot be read at all.
    """
    if request.method == "POST":
        require_no_query(request)
        return _form(_body_pairs(request), MAY_REPEAT)
    return read_query(request)


def read_query(request: Request) -> Form:
    """The query string of a GET; repeated names are in `duplicates`. Raises ProtocolError invalid_request."""
    if request.content_length:
        raise ProtocolError("invalid_request", "A GET request must not have a body.")
    raw = request.query_string
    if len(raw) > MAX_QUERY:
        raise ProtocolError("invalid_request", "The query string is too long.", status=414)
    return _form(_pairs(raw), MAY_REPEAT)


def require_no_query(request: Request) -> None:
    """Refuse a query string where parameters belong into the body: it ends up in logs and could contradict the body."""
    if request.query_string:
        raise ProtocolError("invalid_request", "Parameters must be sent in the request body, not in the query string.")


def _without_duplicates(form: Form) -> Form:
    if form.duplicates:
        raise ProtocolError("invalid_request", "A parameter was sent more than once.")  # RFC 6749 §3.2
    return form


def _form(pairs: list[tuple[str, str]], may_repeat: frozenset[str]) -> Form:
    seen: set[str] = set()
    duplicates = set()
    for name, _ in pairs:
        if name in seen and name not in may_repeat:
            duplicates.add(name)
        seen.add(name)
    return Form(pairs, duplicates)


def _body_pairs(request: Request) -> list[tuple[str, str]]:
    # The stream can be read once, so the result is kept, a refusal too: a second read would see the rest of a body that
    # was refused. In the environ, because one application context may be held over many requests.
    held: list[tuple[str, str]] | ProtocolError | None = request.environ.get(_FOUND)
    if held is None:
        try:
            held = _pairs(_body(request))
        except ProtocolError as refusal:
            held = refusal
        request.environ[_FOUND] = held
    if isinstance(held, ProtocolError):
        raise held
    return held


def _body(request: Request) -> bytes:
    return read_bytes(
        request,
        _FORM_TYPE,
        lambda: ProtocolError(
            "invalid_request", "The request body must be application/x-www-form-urlencoded in UTF-8."
        ),
    )


def read_bytes(request: Request, media_type: re.Pattern[str], refusal: Callable[[], ProtocolError]) -> bytes:
    """The whole body of a request that has this Content-Type, else what `refusal` makes is raised.

    Raises ProtocolError invalid_request: 400, 411 without a length, 413 over MAX_BODY bytes, 415 for a compressed body.
    """
    environ = request.environ  # through request.headers, one that is missing costs an exception
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise ProtocolError("invalid_request", "The request body must not be compressed.", status=415)
    if not media_type.fullmatch(environ.get("CONTENT_TYPE", "").strip()):
        raise refusal()
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise ProtocolError("invalid_request", "The request body is too large.", status=413)
    if environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("wsgi.input_terminated"):
        # werkzeug would hand out an empty body, and a request would pass for one without parameters.
        raise ProtocolError("invalid_request", "The request body must have a Content-Length.", status=411)
    return _read(request)


def _read(request: Request) -> bytes:
    # Some servers block when they are asked for more than was announced; what was announced needs none of werkzeug's care.
    announced = request.content_length
    wanted = MAX_BODY + 1 if announced is None else announced
    chunks = []
    try:
        stream = request.stream if announced is None else request.environ["wsgi.input"]
        while wanted > 0 and (chunk := stream.read(wanted)):
            chunks.append(chunk)
            wanted -= len(chunk)
    except HTTPException as error:
        status = 413 if error.code == 413 else 400
        raise ProtocolError("invalid_request", "The request body is too large or incomplete.", status=status) from error
    except Exception as error:  # each server has classes of its own for a client that left, or chunks that are none
        raise ProtocolError("invalid_request", "The request body is incomplete.") from error
    body = b"".join(chunks)
    if len(body) > MAX_BODY:
        raise ProtocolError("invalid_request", "The request body is too large.", status=413)
    if announced is not None and wanted > 0:
        raise ProtocolError("invalid_request", "The request body is incomplete.")
    return body


def _has_body(request: Request) -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    if raw.count(b"&") >= MAX_FIELDS:
        raise ProtocolError("invalid_request", "There are too many parameters.")
    try:
        text = raw.decode("utf-8")
        if _BROKEN_ESCAPE.search(text):
            raise ValueError("broken percent-encoding")
        pairs = [
            (_decoded(name), _decoded(value))
            for name, _, value in (one.partition("=") for one in text.split("&") if one)
        ]
    except ValueError as error:  # UnicodeDecodeError is one
        raise ProtocolError("invalid_request", "The parameters are not valid percent-encoded UTF-8.") from error
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise ProtocolError("invalid_request", "The parameters must not contain NUL.")
        limit = MAX_LONG_VALUE if name in LONG_VALUES else MAX_QUERY if name in JUDGED_LATER else MAX_VALUE
        if len(name) > MAX_NAME or len(value) > limit:
            raise ProtocolError("invalid_request", "A parameter is too long.")
    return pairs
