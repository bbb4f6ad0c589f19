"""Before Flask: documents that everybody gets alike (the JWKS, the metadata) from memory, and the headers of every response.

A document leaves five times as fast as through a view. What is not a plain GET of one (HEAD, OPTIONS, a query, a tag that does not fit,
another host) goes on to the view of the same address, which answers the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


#: Where the rest of the server leaves the headers that only this response gets, in the environment of the request.
MORE = "oidc.headers"


@dataclass(frozen=True)
class Document:
    """The bytes of a JSON document, its entity tag, and the seconds for which anybody may keep it."""

    body: bytes
    etag: str
    max_age: int

    @cached_property
    def headers(self) -> list[tuple[str, str]]:
        return [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(self.body))),
            ("ETag", f'"{self.etag}"'),
            ("Cache-Control", f"public, max-age={self.max_age}"),
            ("Access-Control-Allow-Origin", "*"),
        ]

    def response(self) -> Response:
        """The document as a view answers it, with the conditions of the request (RFC 9110 §13)."""
        response = Response(self.body, mimetype="application/json")
        response.set_etag(self.etag)
        response.headers["Cache-Control"] = f"public, max-age={self.max_age}"
        response.make_conditional(request)
        return response


def publish(app: Flask, path: str, current: Callable[[], Document]) -> None:
    """Answer GET requests of `path` with what `current` returns; it is called for each of them, in no context."""
    app.extensions.setdefault("published", {})[path] = current


def mount(app: Flask, hosts: frozenset[str], always: dict[str, str], of_documents: dict[str, str]) -> None:
    """Put the published documents before the app, and `always` on whatever leaves.

    `hosts` are the values of Host that are ours; `of_documents` are the headers that only the documents need from here.
    """
    through_flask: WSGIApplication = app.wsgi_app
    published: dict[str, Callable[[], Document]] = app.extensions.setdefault("published", {})
    # As a list: through werkzeug's Headers these took a tenth of a token request.
    on_all = list(always.items())
    on_documents = on_all + list(of_documents.items())

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *environ.get(MORE, ()), *on_all], *error)

        current = published.get(environ["PATH_INFO"])
        if current is None or not _is_plain_get(environ) or environ.get("HTTP_HOST", "").lower() not in hosts:
            return through_flask(environ, start)
        try:
            document = current()
        except Exception:
            # The view fails in the same way, and what fails there is answered and logged as any failure is.
            return through_flask(environ, start)
        held = environ.get("HTTP_IF_NONE_MATCH")
        own = [("X-Request-ID", secrets.token_hex(6)), *on_documents]
        if held is None:
            start_response("200 OK", document.headers + own)
            return [document.body]
        if held == f'"{document.etag}"':
            start_response("304 NOT MODIFIED", document.headers[2:] + own)
            return []
        return through_flask(environ, start)

    app.wsgi_app = answer  # type: ignore[method-assign]  # as Flask documents it


def _is_plain_get(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and environ.get("CONTENT_LENGTH", "") in ("", "0")
    )
