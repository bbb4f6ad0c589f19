"""The app that waits for the answer, for the pages that a person meets on the way to it."""

from __future__ import annotations

from typing import Any

from .. import headers
from ..clients import store as clients
from ..parked_requests import ParkedRequest


def app_of(parked: ParkedRequest | None) -> Any:
    """The client of the parked request, if there is one; the policy of this page lets its forms lead there."""
    if parked is None:
        return None
    if parked.parameter("display") == "popup":
        headers.keep_opener()
    client = clients.find_active(parked.client_id)
    if client is not None:
        headers.allow_form_action(parked.redirect_uri, *client.redirect_uris, client.client_uri or "")
    return client
