"""GET /api/openapi.json and GET /api: the same declaration for programs and for people."""

from __future__ import annotations

import hashlib

import orjson
from flask import Response, make_response, render_template

from .. import sessions
from ..edge import Document
from ..errors import Pages
from ..server import current_server
from . import openapi
from .operations import OPERATIONS
from .problem import KINDS, ProblemDetails

PATH = "/api/openapi.json"
_MAX_AGE = 300

document = ProblemDetails("api_document", __name__)
blueprint = Pages("api", __name__)


@document.get(PATH)
def show_document() -> Response:
    """The OpenAPI document; it changes with the software alone."""
    settings = current_server.settings
    body = orjson.dumps(openapi.build(settings.issuer, sessions.cookies.name()), option=orjson.OPT_INDENT_2)
    return Document(body, hashlib.sha256(body).hexdigest()[:20], _MAX_AGE).response()


@blueprint.get("/api")
def show() -> Response:
    """The readable page."""
    settings = current_server.settings
    return make_response(
        render_template(
            "api/api.html",
            operations=OPERATIONS,
            kinds=KINDS,
            issuer=settings.issuer,
            example=_example,
            document=PATH,
            error=openapi.example_of("account-exists", settings.issuer),
        )
    )


def _example(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
