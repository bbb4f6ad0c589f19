"""Errors as problem details, in the language of the person. RFC 9457.

`type` is the address of the error's paragraph on the readable page; programs decide by it, people read `title` and `detail`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from authlib.oauth2 import OAuth2Error
from flask import Response

from ..accounts import Busy, TooManyAttempts
from ..csrf import ForeignSender
from ..errors import OwnErrors
from ..languages import sentences, translate
from ..rate_limits import RateLimited
from ..registrations import LinkRefused, SignUpClosed
from ..server import current_server

MEDIA_TYPE = "application/problem+json"
FieldErrors = Mapping[str, list[str]]


class Kind(NamedTuple):
    """One kind of error: its status, and its words."""

    status: int
    title: str
    detail: str


#: The last part of `type` -> what it is. The first of a status stands for whatever else has that status.
KINDS: dict[str, Kind] = {
    "malformed-request": Kind(
        400, *sentences("The request cannot be read", "Send one JSON object, and no parameters in the address.")
    ),
    "link-unknown": Kind(
        400, *sentences("This link or code is not known", "Copy it from the mail once more, or ask for a new mail.")
    ),
    "too-many-codes": Kind(
        400, *sentences("Too many wrong codes", "The code of this mail has ended; its link still works, or ask for another mail.")
    ),
    "sign-in-required": Kind(401, *sentences("You are not signed in", "Sign in first.")),
    "wrong-credentials": Kind(
        401, *sentences("That did not work", "No account has this name and this password. Check both and try again.")
    ),
    "second-factor-required": Kind(
        401, *sentences("A second step is needed", "Send the same again with the code of your authenticator app or a recovery code.")
    ),
    "wrong-code": Kind(
        401, *sentences("This code is not right", "Wait for the next code of your app, or use a recovery code that you did not use before.")
    ),
    "password-required": Kind(
        401, *sentences("The password is needed too", "This is another browser than the one that signed up. Send the password that was chosen there.")
    ),
    "foreign-sender": Kind(
        403, *sentences("This did not come from here", "A page of another site sent this, so nothing was done.")
    ),
    "sign-up-closed": Kind(
        403, *sentences("You cannot sign up here", "New accounts are made by the people who run this site, or by invitation.")
    ),
    "email-not-verified": Kind(
        403, *sentences("Confirm your e-mail address first", "We sent you a mail with a code. Confirm the address with it, and sign in again.")
    ),
    "sign-in-page-needed": Kind(
        403, *sentences("Sign in on the page of this site", "Your second step needs a browser; open the sign-in page.")
    ),
    "sign-in-too-old": Kind(
        403, *sentences("Sign in once more", "A password can be changed only shortly after signing in.")
    ),
    "wrong-password": Kind(403, *sentences("The current password is not right", "Nothing was changed. Try again.")),
    "method-not-allowed": Kind(405, *sentences("This address takes POST alone", "Send the request with the method POST.")),
    "account-exists": Kind(
        409, *sentences("There is such an account already", "Sign in, ask for a new password, or choose something else.")
    ),
    "link-ended": Kind(
        410, *sentences("This link or code has ended", "It was used before, or its time is over. Ask for a new mail.")
    ),
    "length-required": Kind(411, *sentences("The length is missing", "Send the length of the body (Content-Length).")),
    "too-large": Kind(413, *sentences("The request is too large", "Send less; no field needs as much.")),
    "unsupported-media-type": Kind(
        415, *sentences("The body must be JSON", "Send application/json in UTF-8, not compressed.")
    ),
    "invalid-fields": Kind(
        422, *sentences("Some fields cannot be used", "Look at the errors, change those fields and send all of them again.")
    ),
    "too-many-requests": Kind(
        429, *sentences("Please wait a moment", "There were too many attempts. Wait for the seconds that Retry-After names.")
    ),
    "server-error": Kind(
        500, *sentences("Something went wrong on our side", "Your request was not carried out. Try again later.")
    ),
    "unavailable": Kind(
        503, *sentences("This service is resting for a moment", "Nothing was changed. Try again in a few seconds.")
    ),
}

_OF_STATUS = {kind.status: name for name, kind in reversed(KINDS.items())}
_OF_LINK = {"unknown": "link-unknown", "too many": "too-many-codes", "expired": "link-ended", "used": "link-ended"}


class Problem(Exception):
    """An error of one of KINDS; `errors` are sentences at fields, `members` what else a program needs to go on (RFC 9457 §3.2)."""

    def __init__(
        self,
        name: str,
        *,
        errors: FieldErrors | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(name)
        self.name = name
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = members


class ProblemDetails(OwnErrors):
    """A blueprint whose errors are problem details, whatever raised them."""

    def __init__(self, *names: Any, **options: Any) -> None:
        super().__init__(*names, **options)
        self.answer_error = lambda status, headers: render(Problem(_name_of(status), headers=headers), status)
        self.register_error_handler(Problem, render)
        self.register_error_handler(ForeignSender, lambda _: render(Problem("foreign-sender")))
        self.register_error_handler(SignUpClosed, lambda _: render(Problem("sign-up-closed")))
        self.register_error_handler(LinkRefused, lambda error: render(Problem(_OF_LINK[error.reason])))
        self.register_error_handler(OAuth2Error, lambda error: self.answer_error(error.status_code, {}))
        self.register_error_handler(TooManyAttempts, lambda error: render(too_many(error.retry_after)))
        self.register_error_handler(Busy, lambda error: render(busy(error.retry_after)))


def render(problem: Problem, status: int | None = None) -> Response:
    """The answer that a problem is."""
    kind = KINDS[problem.name]
    status = status or kind.status
    body: dict[str, Any] = {
        "type": type_of(problem.name),
        "title": translate(kind.title),
        "status": status,
        "detail": translate(kind.detail),
    }
    if problem.errors:
        body["errors"] = [
            {"field": field, "message": message} for field, found in problem.errors.items() for message in found
        ]
    return Response(orjson.dumps(body | problem.members), status, problem.headers, mimetype=MEDIA_TYPE)


def type_of(name: str) -> str:
    """The URI of a kind of problem: its paragraph on the readable page."""
    return current_server.settings.url(f"/api#{name}")


def too_many(retry_after: int) -> Problem:
    return Problem("too-many-requests", headers={"Retry-After": str(retry_after)})


def busy(retry_after: int) -> Problem:
    return Problem("unavailable", headers={"Retry-After": str(retry_after)})


def _name_of(status: int) -> str:
    return _OF_STATUS.get(status) or ("server-error" if status >= 500 else "malformed-request")


__all__ = ["KINDS", "MEDIA_TYPE", "Kind", "Problem", "ProblemDetails", "RateLimited", "busy", "render", "too_many", "type_of"]
