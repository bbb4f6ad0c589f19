"""A client as RFC 7591 metadata: what was registered, and the registration answer (RFC 7591 §3.2.1)."""

from __future__ import annotations

from typing import Any

from .models import Client

_NAMES = (
    "client_name",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "scope",
    "default_resource",
    "jwks",
    "id_token_signed_response_alg",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "require_pkce",
    "default_max_age",
    "require_auth_time",
)
_LEFT_OUT_WHEN_EMPTY = frozenset({"post_logout_redirect_uris", "contacts"})


def document_of(client: Client) -> dict[str, Any]:
    """The metadata of a client; registering it again gives the same client."""
    document: dict[str, Any] = dict(client.metadata_extra)
    for name in _NAMES:
        value = getattr(client, name)
        if value is not None and not (name in _LEFT_OUT_WHEN_EMPTY and not value):
            document[name] = value
    return document


def registration_answer(client: Client, client_secret: str | None = None) -> dict[str, Any]:
    """The answer to a registration; the secret is in it when it was just made, and 0 says that it does not expire."""
    answer: dict[str, Any] = {"client_id": client.client_id, "client_id_issued_at": int(client.created_at)}
    if client_secret is not None:
        answer |= {"client_secret": client_secret, "client_secret_expires_at": 0}
    return answer | document_of(client)
