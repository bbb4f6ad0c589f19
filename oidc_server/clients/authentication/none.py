"""none: a public client only says who it is. RFC 6749 §2.1, RFC 7591 §2."""

from __future__ import annotations

from ..models import Client
from .method import Failed, Method, Presented


def _is_presented(presented: Presented) -> bool:
    has_credential = presented.has_authorization_header or presented.has_secret or presented.has_assertion
    return "client_id" in presented.form and not has_credential


def _prove(client: Client | None, presented: Presented) -> None:
    # Only a client registered as public comes here: a confidential one must prove itself (RFC 6749 §3.2.1).
    if client is None:
        raise Failed("no public client")


METHOD = Method(
    name="none",
    credential="nothing",
    is_presented=_is_presented,
    claimed_id=lambda presented: presented.form["client_id"],
    prove=_prove,
)
