"""GET /dev/mails, /dev/mails/<id>: what the outbox holds, for a developer without a mail server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, make_response, render_template

from ..errors import PageError, Pages
from ..server import current_server
from ..settings import Settings
from ..settings_checks import is_loopback
from . import contents, store

blueprint = Pages("dev_mails", __name__)

_SHOWN = 100
_ADDRESS = re.compile(r"(https?://[\x21-\x7e]+)", re.ASCII)


def are_for_us(settings: Settings) -> bool:
    """Whether these pages exist: in tests, and in development under an address of this machine.

    They show every link that opens an account, and development is the default: a public server that somebody forgot to call
    production must not have them.
    """
    host = urlsplit(settings.issuer).hostname or ""
    return settings.environment == "testing" or (settings.environment == "development" and is_loopback(host))


@blueprint.get("/dev/mails")
def list_page() -> Response:
    """The newest mails."""
    return make_response(render_template("dev/mails.html", mails=store.newest(_SHOWN)))


@blueprint.get("/dev/mails/<mail_id>")
def mail_page(mail_id: str) -> Response:
    """One mail as text, its links to this server clickable. Raises PageError."""
    mail = store.find(mail_id)
    if mail is None:
        raise PageError("not_found", error="not_found", status=404)
    found = contents.unseal(mail.sealed, mail.id, current_server.settings)
    return make_response(render_template("dev/mail.html", mail=mail, contents=found, paragraphs=_paragraphs(found)))


def _paragraphs(found: contents.Contents | None) -> list[list[tuple[str, bool]]]:
    """The paragraphs of the text, each in pieces with whether the piece is an address of this server."""
    own = current_server.settings.issuer + "/"
    texts = found.text.strip().split("\n\n") if found is not None else []
    return [[(piece, piece.startswith(own)) for piece in _ADDRESS.split(text)] for text in texts]
