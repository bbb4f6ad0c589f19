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
from ..languages import translate
from ..registrations import LinkRefused, SignUpClosed
from ..server import current_server

MEDIA_TYPE = "application/problem+json"
FieldErrors = Mapping[str, list[str]]


class Kind(NamedTuple):
    """One kind of error: its status, and its words."""

    status: int
    title: str
    detail: str


def _(sentence: str) -> str:
    """The sentence as it is, marked for the catalogues; render() translates it."""
    return sentence


#: The last part of `type` -> what it is. The first of a status stands for whatever else has that status.
KINDS: dict[str, Kind] = {
    "malformed-request": Kind(
        400, _("The request cannot be read"), _("Send one JSON object, and no parameters in the address.")
    ),
    "link-unknown": Kind(
        400, _("This link or code is not known"), _("Copy it from the mail once more, or ask for a new mail.")
    ),
    "too-many-codes": Kind(
        400,
        _("Too many wrong codes"),
        _("The code of this mail has ended; its link still works, or ask for another mail."),
    ),
    "sign-in-required": Kind(401, _("You are not signed in"), _("Sign in first.")),
    "wrong-credentials": Kind(
        401, _("That did not work"), _("No account has this name and this password. Check both and try again.")
    ),
    "second-factor-required": Kind(
        401,
        _("A second step is needed"),
        _("Send the same again with the code of your authenticator app or a recovery code."),
    ),
    "wrong-code": Kind(
        401,
        _("This code is not right"),
        _("Wait for the next code of your app, or use a recovery code that you did not use before."),
    ),
    "password-required": Kind(
        401,
        _("The password is needed too"),
        _("This is another browser than the one that signed up. Send the password that was chosen there."),
    ),
    "token-needed": Kind(
        401, _("An access token is needed"), _("Send one in the Authorization header, as Bearer and the token.")
    ),
    "token-refused": Kind(
        401,
        _("This access token does not count"),
        _("It has ended, was revoked, or is meant for something else. Get a new one."),
    ),
    "scope-needed": Kind(
        403,
        _("This access token may not do that"),
        _("It must be a client's own, by the grant client_credentials, with the scope that the document names."),
    ),
    "account-unknown": Kind(404, _("There is no such account"), _("Nothing was changed. Check who was meant.")),
    "foreign-sender": Kind(
        403, _("This did not come from here"), _("A page of another site sent this, so nothing was done.")
    ),
    "sign-up-closed": Kind(
        403,
        _("You cannot sign up here"),
        _("New accounts are made by the people who run this site, or by invitation."),
    ),
    "email-not-verified": Kind(
        403,
        _("Confirm your e-mail address first"),
        _("We sent you a mail with a code. Confirm the address with it, and sign in again."),
    ),
    "sign-in-page-needed": Kind(
        403, _("Sign in on the page of this site"), _("Your second step needs a browser; open the sign-in page.")
    ),
    "sign-in-too-old": Kind(403, _("Sign in once more"), _("A password can be changed only shortly after signing in.")),
    "wrong-password": Kind(403, _("The current password is not right"), _("Nothing was changed. Try again.")),
    "method-not-allowed": Kind(405, _("This address takes POST alone"), _("Send the request with the method POST.")),
    "account-exists": Kind(
        409,
        _("There is such an account already"),
        _("Sign in, ask for a new password, or choose something else."),
    ),
    "link-ended": Kind(
        410, _("This link or code has ended"), _("It was used before, or its time is over. Ask for a new mail.")
    ),
    "length-required": Kind(411, _("The length is missing"), _("Send the length of the body (Content-Length).")),
    "too-large": Kind(413, _("The request is too large"), _("Send less; no field needs as much.")),
    "unsupported-media-type": Kind(
        415, _("The body must be JSON"), _("Send application/json in UTF-8, not compressed.")
    ),
    "invalid-fields": Kind(
        422,
        _("Some fields cannot be used"),
        _("Look at the errors, change those fields and send all of them again."),
    ),
    "too-many-requests": Kind(
        429,
        _("Please wait a moment"),
        _("There were too many attempts. Wait for the seconds that Retry-After names."),
    ),
    "server-error": Kind(
        500, _("Something went wrong on our side"), _("Your request was not carried out. Try again later.")
    ),
    "unavailable": Kind(
        503, _("This service is resting for a moment"), _("Nothing was changed. Try again in a few seconds.")
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
