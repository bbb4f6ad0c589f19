"""client_secret_post: identifier and secret in the request body. RFC 6749 §2.3.1."""

from __future__ import annotations

from ..models import Client, ClientSecret
from .method import Failed, Method, Presented
from .shared_secret import require_secret


def _claimed_id(presented: Presented) -> str:
    client_id = presented.form.get("client_id")
    if client_id is None:
        raise Failed("client_id is missing")
    return client_id


def _prove(client: Client | None, presented: Presented) -> ClientSecret:
    return require_secret(client, presented.form["client_secret"])


METHOD = Method(
    name="client_secret_post",
    credential="secret in the body",
    is_presented=lambda presented: presented.has_secret,
    claimed_id=_claimed_id,
    prove=_prove,
    has_secret=True,
)
