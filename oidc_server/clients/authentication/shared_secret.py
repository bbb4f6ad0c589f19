"""The comparison behind client_secret_basic and client_secret_post."""

from __future__ import annotations

from ...database import now
from .. import secret
from ..models import Client, ClientSecret
from .method import Failed


def require_secret(client: Client | None, presented: str) -> ClientSecret:
    """The live secret of the client that was presented; for no client at the same cost. Raises Failed."""
    at = now()
    live = [held for held in client.secrets if held.is_live(at)] if client is not None else []
    index = secret.matching(presented, [held.secret_hash for held in live])
    if index is None:
        raise Failed("wrong secret")
    return live[index]
