"""The app that waits while somebody signs up, if one does."""

from __future__ import annotations

from typing import Any

from .. import headers, parked_requests
from ..clients import store as clients
from ..errors import PageError
from ..form import Form
from ..parked_requests import ParkedRequest


def of(values: Form) -> ParkedRequest | None:
    """The parked request that a page or form names. Raises PageError when it has ended or is another browser's."""
    identifier = values.get("transaction")
    if identifier is None:
        return None
    parked = parked_requests.find(identifier)
    parked_requests.bind(parked)
    return parked


def if_alive(transaction: str) -> ParkedRequest | None:
    """The same for what was remembered with a mail: None when nothing waits in this browser any more."""
    try:
        return parked_requests.find(transaction) if transaction else None
    except PageError:
        return None


def app_of(parked: ParkedRequest | None) -> Any:
    """The client that waits; the page may send its form on to it."""
    if parked is None:
        return None
    client = clients.find_active(parked.client_id)
    if parked.parameter("display") == "popup":
        headers.keep_opener()
    if client is not None:
        headers.allow_form_action(parked.redirect_uri, *client.redirect_uris, client.client_uri or "")
    return client


def with_transaction(path: str, parked: ParkedRequest | None) -> str:
    """The address of a page of ours that goes on with the same request."""
    if parked is None:
        return path
    return f"{path}{'&' if '?' in path else '?'}transaction={parked.id}"
