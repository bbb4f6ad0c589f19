"""Tables of the registered applications and their secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..database import Base
from .redirect_uris import MAX_LENGTH, host_of, matches, origin_of

MAX_SCOPES = 100
#: Scopes that ask for facts about a person or for offline access: never given to a client that did not ask by name.
PERSONAL_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", "offline_access", "roles", "groups"})

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749 §3.3


class Client(Base, ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """One application, by the metadata names of RFC 7591 §2 and OpenID Connect Registration §2."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    client_name: Mapped[str] = mapped_column(sa.String(255))
    token_endpoint_auth_method: Mapped[str] = mapped_column(sa.String(40))
    token_endpoint_auth_signing_alg: Mapped[str | None] = mapped_column(sa.String(20))
    grant_types: Mapped[list[str]]
    response_types: Mapped[list[str]]
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    scope: Mapped[str] = mapped_column(sa.Text)
    default_resource: Mapped[str | None] = mapped_column(sa.String(255))
    jwks: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    id_token_signed_response_alg: Mapped[str] = mapped_column(sa.String(20))
    client_uri: Mapped[str | None] = mapped_column(sa.String(MAX_LENGTH))
    logo_uri: Mapped[str | None] = mapped_column(sa.String(MAX_LENGTH))
    policy_uri: Mapped[str | None] = mapped_column(sa.String(MAX_LENGTH))
    tos_uri: Mapped[str | None] = mapped_column(sa.String(MAX_LENGTH))
    contacts: Mapped[list[str]]
    require_pkce: Mapped[bool | None]
    default_max_age: Mapped[int | None]
    require_auth_time: Mapped[bool] = mapped_column(default=False)
    is_trusted: Mapped[bool] = mapped_column(default=False)
    metadata_extra: Mapped[dict[str, Any]]
    disabled_at: Mapped[float | None]
    created_at: Mapped[float]
    updated_at: Mapped[float]

    # Loaded by the queries of store.py that need it, and by nothing else.
    secrets: Mapped[list[ClientSecret]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ClientSecret.created_at", passive_deletes=True
    )

    def __repr__(self) -> str:
        return f"<Client {self.client_id!r}>"

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def require_second_factor(self) -> bool:
        """Whether people sign in to it with two factors, whoever they are."""
        return bool(self.metadata_extra.get("require_second_factor"))

    @property
    def display_host(self) -> str:
        """The host that people are shown as the one who asks: of the home page, else of the first redirect URI."""
        uris = [uri for uri in (self.client_uri, *self.redirect_uris) if uri]
        return host_of(uris[0]) if uris else ""

    # Authlib's questions (ClientMixin).

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """The redirect URI when it was left out and only one is registered (RFC 6749 §3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The asked scope if all of it may be asked, in the order asked; None otherwise (RFC 6749 §3.3).

        Without a scope: the registered ones of protected resources, because nobody gets a person's data unasked.
        """
        registered = self.scope.split()
        if not scope:
            return " ".join(name for name in registered if name not in PERSONAL_SCOPES)
        asked = split_scope(scope)
        if asked is None or not set(asked) <= set(registered):
            return None
        return " ".join(asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return matches(redirect_uri, self.redirect_uris)

    def check_post_logout_redirect_uri(self, uri: str) -> bool:
        return matches(uri, self.post_logout_redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """Never: Authlib's own methods compare secrets in the clear; ours live in clients/authentication."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client registered this method; it is the same at every endpoint."""
        return method == self.token_endpoint_auth_method

    def check_response_type(self, response_type: str) -> bool:
        return response_type in self.response_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


class ClientSecret(Base):
    """One secret of a client: its SHA-256, which is enough for 256 random bits; times are seconds since the epoch."""

    __tablename__ = "client_secrets"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    client_id: Mapped[str] = mapped_column(sa.ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64))
    #: The secret itself under the server's key, for client_secret_jwt alone: an HMAC cannot be checked with a hash.
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary(512))
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    last_used_at: Mapped[float | None]

    def __repr__(self) -> str:
        return f"<ClientSecret {self.id}>"

    def is_live(self, at: float) -> bool:
        return self.expires_at is None or self.expires_at > at


def origins_of(redirect_uris: Sequence[str], client_uri: str | None) -> frozenset[str]:
    """Web origins of the redirect URIs and of client_uri of a client: whose scripts may call the token endpoint (CORS)."""
    return frozenset(origin for uri in (*redirect_uris, client_uri or "") if (origin := origin_of(uri)))


def split_scope(scope: str) -> list[str] | None:
    """The scope tokens, each once, in order; None when they are no such (RFC 6749 §3.3) or more than MAX_SCOPES."""
    names = scope.split(" ")
    if len(names) > MAX_SCOPES or not all(_SCOPE_TOKEN.fullmatch(name) for name in names):
        return None
    return list(dict.fromkeys(names))
