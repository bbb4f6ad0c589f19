"""Error classes that Authlib lacks, and how an error leaves: as JSON, as a page with a reference, never as a traceback.

An error carries two texts: `description` for the client (constant, plain ASCII, RFC 6749 §5.2) and `detail` for the log alone.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from . import audit
from .database_errors import is_outage, severity
from .languages import sentences, translate

log = logging.getLogger(__name__)

# No 0, O, 1, I: people read references aloud.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

#: kind -> (title, what happened and what was not done, what to do next)
PAGES: dict[str, tuple[str, ...]] = {
    "bad_request": sentences(
        "This page cannot be opened like that",
        "The address or the form that brought you here was not complete, so nothing was done.",
        "Go back to the app and try again.",
    ),
    "unknown_client": sentences(
        "This app is not known here",
        "The app that sent you here is not registered, or is switched off, so nothing was sent to it.",
        "If you were signing in, go back to the app and try again. If it happens again, tell the people who run the app this reference.",
    ),
    "redirect_uri": sentences(
        "This sign-in link cannot be used",
        "The app that sent you here asked to be answered at an address that it has not registered, so nothing was sent to it.",
        "If you were signing in, go back to the app and try again. If it happens again, tell the people who run the app this reference.",
    ),
    "request_ended": sentences(
        "This sign-in has ended",
        "It was finished already, took too long, or was started in another browser. Nothing was changed.",
        "Go back to the app and sign in again.",
    ),
    "stale_form": sentences(
        "This page was open too long",
        "The form could not be matched to your browser, so nothing was done.",
        "Go back, reload the page and try again. Your browser must accept cookies from this site.",
    ),
    "logout_hint": sentences(
        "You were not signed out",
        "The app that sent you here did not show that you are signed in to it, so nothing was changed.",
        "You can sign out on this site, or go back to the app.",
    ),
    "too_many_requests": sentences(
        "Please wait a moment",
        "There were too many requests from your network, so this one was not carried out.",
        "Wait a minute and try again.",
    ),
    "not_found": sentences(
        "There is no such page",
        "Nothing lives at this address.",
        "Check the address, or go back to the app you came from.",
    ),
    "unavailable": sentences(
        "This service is resting for a moment",
        "It could not reach its database, so nothing was changed.",
        "Wait a few seconds and try again.",
    ),
    "server_error": sentences(
        "Something went wrong on our side",
        "Your request was not carried out.",
        "Try again. If it happens again, tell the people who run this site this reference.",
    ),
}


class ProtocolError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """An error of the protocol for a machine.

    `error` is the registered code, `description` constant ASCII that says what to do, `detail` goes to the log only.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        detail: str | None = None,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error=error, description=description, status_code=status)
        self.detail = detail
        self.headers = dict(headers or {})

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), *self.headers.items()]


class PageError(Exception):
    """An error shown to a person; `kind` names its words in PAGES, `developer` is for the developer of the app (constant text)."""

    def __init__(
        self,
        kind: str,
        *,
        error: str = "invalid_request",
        developer: str | None = None,
        detail: str | None = None,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.error = error
        self.developer = developer
        self.detail = detail
        self.status = status
        self.headers = dict(headers or {})


class Pages(Blueprint):
    """A blueprint whose addresses answer people: its errors are pages. Every other blueprint answers machines."""


class OwnErrors(Blueprint):
    """A blueprint whose errors are neither pages nor those of RFC 6749: it makes them itself."""

    answer_error: Callable[[int, Mapping[str, str]], Response]


def json_error(error: OAuth2Error) -> Response:
    """The JSON error of RFC 6749 §5.2, never stored by anybody; `invalid_client` is a 401 as that section allows."""
    status, body, headers = error()
    if error.error == "invalid_client":
        status = 401
    if detail := getattr(error, "detail", None):
        log.info("%s refused: %s (%s)", request.path, error.error, detail)
    body = {name: body[name] for name in ("error", "error_description") if body.get(name)}
    response = Response(orjson.dumps(body), status=status, headers=headers, mimetype="application/json")
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def page(error: PageError) -> Response:
    """The error page, with a reference that the audit log also has."""
    reference = make_reference()
    title, explanation, next_step = (translate(sentence) for sentence in PAGES[error.kind])
    audit.record(
        audit.ERROR_PAGE,
        reference=reference,
        kind=error.kind,
        error=error.error,
        developer=error.developer,
        detail=error.detail,
    )
    text = render_template(
        "error.html",
        title=title,
        explanation=explanation,
        next_step=next_step,
        reference=reference,
        error=error.error,
        developer=error.developer,
        status=error.status,
    )
    response = make_response(text, error.status, error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def make_reference() -> str:
    """A short reference such as 7F3K-Q2MD: 40 bits, enough to find one line in a log."""
    letters = [secrets.choice(_REFERENCE_ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def wants_page() -> bool:
    """Whether the caller is a person: at the addresses of pages always, at unknown ones when it asks for HTML."""
    owner = _owner()
    return isinstance(owner, Pages) if owner is not None else "text/html" in request.headers.get("Accept", "")


def _owner() -> object:
    """Whose address this is, even if the method was wrong and nothing was matched; None at unknown ones."""
    name, failed = request.blueprint, request.routing_exception
    if isinstance(failed, MethodNotAllowed) and failed.valid_methods:
        endpoint, _ = current_app.create_url_adapter(request).match(method=next(iter(failed.valid_methods)))  # type: ignore[union-attr]
        name = endpoint.rpartition(".")[0]
    return current_app.blueprints.get(name or "")


def answer(
    kind: str,
    error: str,
    description: str,
    status: int,
    headers: Mapping[str, str] | None = None,
    detail: str | None = None,
) -> Response:
    """One error as the caller expects it: a page for people, JSON for machines."""
    if isinstance(owner := _owner(), OwnErrors):
        return owner.answer_error(status, headers or {})
    if wants_page():
        return page(PageError(kind, error=error, developer=description, detail=detail, status=status, headers=headers))
    return json_error(ProtocolError(error, description, detail=detail, status=status, headers=headers))


def mount(app: Flask) -> None:
    """Register the handlers: nothing that goes wrong leaves as anything but these."""
    app.register_error_handler(OAuth2Error, _handle_protocol_error)
    app.register_error_handler(PageError, page)
    app.register_error_handler(HTTPException, _handle_http_exception)
    app.register_error_handler(Exception, _handle_exception)


def _handle_protocol_error(error: OAuth2Error) -> Response:
    if wants_page():
        said: dict[str, Any] = {"developer": error.description or "", "detail": getattr(error, "detail", None)}
        return page(PageError("bad_request", error=error.error, status=error.status_code, **said))
    return json_error(error)


def _handle_http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if status == 404:
        return answer("not_found", "not_found", "There is nothing at this address.", status)
    if status >= 500:
        return answer("server_error", "server_error", "The request could not be carried out.", status, headers)
    return answer("bad_request", "invalid_request", f"The request was refused: {error.name}.", status, headers)


def _handle_exception(error: Exception) -> Response | tuple[Any, ...]:
    if is_outage(error):
        log.log(severity(error), "answered 503: %s", type(error).__name__)
        return answer(
            "unavailable", "temporarily_unavailable", "Try again in a few seconds.", 503, {"Retry-After": "2"}
        )
    reference = make_reference()
    log.exception("unhandled exception, reference %s", reference)
    detail = f"see reference {reference}"
    return answer("server_error", "server_error", "The request could not be carried out.", 500, detail=detail)
