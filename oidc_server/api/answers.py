"""What the addresses of the API say when all is well."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from ..accounts import Account
from ..confirmations import MatchedCode
from ..languages import translate
from ..registrations import LinkRefused
from .problem import Problem


def answer(status: int, body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")


def nothing() -> Response:
    """204, without a body."""
    return Response(status=204)


def account_of(account: Account) -> dict[str, Any]:
    """The person in the words of OIDC Core §5.1; what is not known is left out."""
    known = {
        "sub": account.id,
        "preferred_username": account.username,
        "email": account.email,
        "email_verified": account.email_verified if account.email else None,
        "name": account.claims.get("name"),
    }
    return {name: value for name, value in known.items() if value is not None}


def proof_of(sent: dict[str, Any], match: Any) -> str | MatchedCode:
    """What the mail was answered with: the secret of its link, or the right code, else a Problem at the field. Raises LinkRefused."""
    if "request" not in sent or "code" not in sent:
        link: str = sent["link"]
        return link
    try:
        matched: MatchedCode = match(sent["request"], sent["code"])
    except LinkRefused as error:
        if error.reason != "unknown":
            raise
        errors = {"code": [translate("This is not the code of the mail. Look at it once more.")]}
        raise Problem("invalid-fields", errors=errors) from error
    return matched
