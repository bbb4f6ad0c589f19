"""How a client proves who it is, at every endpoint that asks: one file per method, METHODS is the list.

RFC 6749 §2.3, RFC 7523 §2.2, OpenID Connect Core §9. Exactly one credential, by the method that the client registered;
whatever is wrong with it, the answer is the same invalid_client. Endpoints: none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from ... import audit, here, rate_limits
from ...errors import ProtocolError
from ...form import Form
from ...networks import client_network
from ..models import Client, ClientSecret
from . import client_secret_basic, client_secret_jwt, client_secret_post, none, private_key_jwt
from .method import Failed, Method, Presented

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        client_secret_basic.METHOD,
        client_secret_post.METHOD,
        private_key_jwt.METHOD,
        client_secret_jwt.METHOD,
        none.METHOD,
    )
}

#: With which a client may sign its assertion, at every endpoint that asks.
SIGNING_ALGORITHMS = tuple(name for method in METHODS.values() for name in method.signing_algorithms)


@dataclass(frozen=True)
class Authenticated:
    """The client, the method it proved itself by, and the secret it used, if it used one."""

    client: Client
    method: str
    secret: ClientSecret | None


def authenticate(
    form: Form, headers: Headers, endpoint: str, methods: Collection[str], find: Callable[[str], Client | None]
) -> Authenticated:
    """The client that sent these parameters and headers, by one of the methods that the endpoint accepts.

    Raises ProtocolError: invalid_request for two credentials or two identifiers, else invalid_client (RFC 6749 §5.2).
    """
    presented = Presented(form, headers)
    candidates = [method for method in METHODS.values() if method.is_presented(presented)]
    if len({method.credential for method in candidates}) > 1:
        raise ProtocolError("invalid_request", "Use one method of client authentication per request.")
    claimed = method_name = client = None
    try:
        if not candidates:
            raise Failed("no credential")
        method_name = candidates[0].name if len(candidates) == 1 else candidates[0].credential
        claimed = candidates[0].claimed_id(presented)
        if form.get("client_id", claimed) != claimed:
            raise ProtocolError("invalid_request", "client_id is not the client that authenticates.")  # RFC 6749 §3.2.1
        # Counted before anything is compared: a secret can be guessed here too.
        rate_limits.hit("token", claimed, client_network(here.request()))
        client = find(claimed)
        return _prove(candidates, presented, methods, client)
    except Failed as failed:
        # Identifier and secret get swapped, so what is no client's identifier is not written down whole.
        known = claimed if client is not None else audit.clipped(claimed)
        audit.record(failed.event, client_id=known, method=method_name, endpoint=endpoint, reason=failed.reason)
        raise _invalid_client(presented, failed) from None


def _prove(
    candidates: list[Method], presented: Presented, methods: Collection[str], client: Client | None
) -> Authenticated:
    registered = [method for method in candidates if client and method.name == client.token_endpoint_auth_method]
    if client is None or not registered or registered[0].name not in methods:
        with suppress(Failed):
            candidates[0].prove(None, presented)  # as long as it takes for a client that is there
        raise Failed(_problem(client, registered))
    method = registered[0]
    return Authenticated(client, method.name, method.prove(client, presented))


def _problem(client: Client | None, registered: list[Method]) -> str:
    if client is None:
        return "unknown or disabled client"
    return "method not accepted at this endpoint" if registered else "not the registered method"


def _invalid_client(presented: Presented, failed: Failed) -> ProtocolError:
    headers = {}
    if presented.has_authorization_header:  # RFC 6749 §5.2
        headers["WWW-Authenticate"] = 'Basic realm="client", charset="UTF-8"'
    return ProtocolError(
        "invalid_client", "Client authentication failed.", detail=failed.reason, status=401, headers=headers
    )
