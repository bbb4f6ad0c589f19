"""The only queries on clients and their secrets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from ..database import Unavailable, db, now, transact
from ..remembered import Remembered, detached
from ..server import current_server
from . import secret
from .authentication import METHODS
from .metadata import InvalidMetadata, validated
from .models import Client, ClientSecret, origins_of
from .registration_answer import document_of

T = TypeVar("T")

CLIENT_ID = re.compile(r"[A-Za-z0-9._~:/\-]{1,255}", re.ASCII)
#: A secret's last use is written down at most this often (seconds), so that a token request seldom writes for it.
USE_INTERVAL = 3600
ROTATION_OVERLAP = 7 * 86400


class UnknownClient(LookupError):
    """There is no client of that identifier."""


class NoSecret(ValueError):
    """The client's authentication method has no secret."""


@dataclass(frozen=True)
class Registered:
    """A client and, when one was just made, its secret, which nobody can read again."""

    client: Client
    client_secret: str | None = None

    def __repr__(self) -> str:
        return f"Registered({self.client!r})"


_remembered: Remembered[Client | None] = Remembered("clients")


def find(client_id: str) -> Client | None:
    """The client with its secrets, disabled or not, as it was at most a second ago. To read only; it belongs to no session."""
    if not CLIENT_ID.fullmatch(client_id):
        return None  # no identifier of ours, and perhaps no text a database takes
    return _remembered.get(client_id, lambda key: detached(db.session(), _read(key)))


def _read(client_id: str) -> Client | None:
    """The client as it is now, in one query."""
    query = sa.select(Client).options(joinedload(Client.secrets)).where(Client.client_id == client_id)
    return db.session.scalars(query.execution_options(populate_existing=True)).unique().one_or_none()


def find_active(client_id: str) -> Client | None:
    """The client if it is not disabled."""
    client = find(client_id)
    return client if client is not None and client.is_active else None


def origins() -> frozenset[str]:
    """The origins that active clients are registered with: where their scripts may call us from (CORS)."""
    query = sa.select(Client.redirect_uris, Client.client_uri).where(Client.disabled_at.is_(None))
    return frozenset(origin for uris, home in db.session.execute(query) for origin in origins_of(uris, home))


def list_clients() -> list[Client]:
    """All clients by name, without their secrets."""
    return list(db.session.scalars(sa.select(Client).order_by(Client.client_name, Client.client_id)))


def create(document: Mapping[str, Any], *, client_id: str | None = None, is_trusted: bool = False) -> Registered:
    """Register a client from RFC 7591 metadata; only operators choose a client_id or trust a client.

    Raises InvalidMetadata or InvalidRedirectUri.
    """
    columns = validated(document, current_server.settings)
    identifier = client_id if client_id is not None else make_client_id()
    if not CLIENT_ID.fullmatch(identifier):
        raise InvalidMetadata("client_id must be 1 to 255 characters out of A-Z a-z 0-9 . _ ~ : / -")
    columns["client_name"] = columns["client_name"] or identifier

    def insert() -> Registered:
        if _read(identifier) is not None:
            raise InvalidMetadata("There is a client of that client_id already.")
        at = now()
        client = Client(client_id=identifier, created_at=at, updated_at=at, is_trusted=is_trusted, **columns)
        client.secrets = []
        db.session.add(client)
        return Registered(client, _issue_if_needed(client))

    return _changed(insert)


def update(
    client_id: str,
    changes: Mapping[str, Any],
    *,
    is_trusted: bool | None = None,
    is_disabled: bool | None = None,
) -> Registered:
    """Change some metadata of a client; null takes one back to its default. The whole passes the checks of create().

    Another authentication method ends every secret, and one that needs a secret gets a new one. Raises UnknownClient,
    InvalidMetadata or InvalidRedirectUri.
    """

    def change() -> Registered:
        client = _required(client_id)
        method = client.token_endpoint_auth_method
        columns = validated(_merged(client, changes), current_server.settings)
        columns["client_name"] = columns["client_name"] or client_id
        for name, value in columns.items():
            setattr(client, name, value)
        if is_trusted is not None:
            client.is_trusted = is_trusted
        if is_disabled is not None:
            client.disabled_at = (client.disabled_at or now()) if is_disabled else None
        client.updated_at = now()
        if client.token_endpoint_auth_method == method:
            return Registered(client)
        client.secrets = []
        return Registered(client, _issue_if_needed(client))

    return _changed(change)


def delete(client_id: str) -> None:
    """Delete a client; foreign keys take its secrets, consents and tokens along. Raises UnknownClient."""

    def remove() -> None:
        gone = sa.delete(Client).where(Client.client_id == client_id).returning(Client.client_id)
        if db.session.execute(gone, execution_options={"synchronize_session": False}).first() is None:
            raise UnknownClient(client_id)
        db.session.expire_all()

    _changed(remove)


def rotate_secret(client_id: str, *, old_expires_in: float = ROTATION_OVERLAP) -> Registered:
    """Give a client a second secret; the one in use ends after `old_expires_in` seconds, any earlier one at once.

    Raises UnknownClient or NoSecret.
    """

    def rotate() -> Registered:
        client = _required(client_id)
        if not METHODS[client.token_endpoint_auth_method].has_secret:
            raise NoSecret(client_id)
        at = now()
        in_use = [held for held in client.secrets if held.is_live(at)][-1:]
        for held in in_use:
            ends = at + old_expires_in
            held.expires_at = ends if held.expires_at is None else min(held.expires_at, ends)
        client.secrets = [held for held in in_use if held.is_live(at)]
        return Registered(client, _issue(client))

    return _changed(rotate)


def note_use(held: ClientSecret) -> None:
    """Write down that a secret was used, so that the operator sees when the old one may go."""
    at = now()
    if held.last_used_at is not None and at - held.last_used_at < USE_INTERVAL:
        return
    used = sa.update(ClientSecret).where(ClientSecret.id == held.id).values(last_used_at=at)
    with suppress(Unavailable):  # a busy database is no reason to refuse a client that proved itself
        transact(lambda: db.session.execute(used))
        held.last_used_at = at  # the remembered one, or the next request would write again


def purge_secrets() -> None:
    """Delete the secrets that have ended."""
    _changed(lambda: db.session.execute(sa.delete(ClientSecret).where(ClientSecret.expires_at <= now())))


def make_client_id() -> str:
    """A new client identifier: 128 random bits, in a form that no account has (RFC 9700 §4.15)."""
    return f"c-{secrets.token_hex(16)}"


def _changed(work: Callable[[], T]) -> T:
    """Run a change in a transaction, and have this process forget what it remembers of clients."""
    result = transact(work)
    _remembered.forget()
    return result


def _required(client_id: str) -> Client:
    client = _read(client_id) if CLIENT_ID.fullmatch(client_id) else None
    if client is None:
        raise UnknownClient(client_id)
    return client


def _merged(client: Client, changes: Mapping[str, Any]) -> dict[str, Any]:
    before = document_of(client)
    # What was derived from a field that changes is derived again, unless it is given too.
    if "token_endpoint_auth_method" in changes:
        before.pop("token_endpoint_auth_signing_alg", None)
    if "grant_types" in changes:
        before.pop("response_types", None)
    return {**before, **changes}


def _issue_if_needed(client: Client) -> str | None:
    return _issue(client) if METHODS[client.token_endpoint_auth_method].has_secret else None


def _issue(client: Client) -> str:
    made = secret.make()
    sealed = None
    if client.token_endpoint_auth_method == "client_secret_jwt":
        sealed = secret.seal(made, client.client_id, current_server.settings)
    client.secrets.append(ClientSecret(secret_hash=secret.hash_of(made), sealed=sealed, created_at=now()))
    return made
