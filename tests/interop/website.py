"""A web site that signs people in with social-auth-core: its storage and its strategy, as small as the library allows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthCanceled, AuthConfigurationError
from social_core.storage import AssociationMixin, BaseStorage, NonceMixin, UserMixin
from social_core.strategy import BaseStrategy

from .site import CALLBACK

__all__ = ["AuthCanceled", "AuthConfigurationError", "Users", "Website"]


class Nonces(NonceMixin):
    kept: set[tuple[str, int, str]]

    @classmethod
    def use(cls, server_url: str, timestamp: int, salt: str) -> bool:
        cls.kept.add((server_url, timestamp, salt))
        return True

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
        found = (server_url, timestamp, salt) in cls.kept
        cls.kept.discard((server_url, timestamp, salt))
        return found


class Associations(AssociationMixin):
    kept: dict[str, AssociationMixin]

    @classmethod
    def store(cls, server_url: str, association: Any) -> None:
        cls.kept[association.handle] = made = cls()
        made.id, made.handle, made.server_url = association.handle, association.handle, server_url  # type: ignore[attr-defined]
        made.issued, made.lifetime, made.assoc_type = association.issued, association.lifetime, association.assoc_type

    @classmethod
    def get(cls, server_url: str | None = None, handle: str | None = None) -> list[AssociationMixin]:
        return [one for one in cls.kept.values() if (one.server_url, one.handle) == (server_url, handle)]

    @classmethod
    def remove(cls, ids_to_delete: list[str]) -> None:
        for one in ids_to_delete:
            cls.kept.pop(one, None)


class Users(UserMixin):
    """The site's people, by user name, and which `sub` of which provider each is."""

    people: dict[str, SimpleNamespace]
    known: dict[tuple[str, str], SimpleNamespace]

    @classmethod
    def username_max_length(cls) -> int:
        return 100

    @classmethod
    def user_exists(cls, *_: Any, username: str = "", **__: Any) -> bool:
        return username in cls.people

    @classmethod
    def create_user(cls, **fields: Any) -> SimpleNamespace:
        blank = {"fullname": "", "first_name": "", "last_name": "", "is_active": True, "is_authenticated": True}
        cls.people[fields["username"]] = made = SimpleNamespace(**blank | fields)
        return made

    @classmethod
    def get_username(cls, user: SimpleNamespace) -> str:
        return str(user.username)

    @classmethod
    def changed(cls, user: SimpleNamespace) -> None:
        cls.people[user.username] = user

    @classmethod
    def get_social_auth(cls, provider: str, uid: str, id_key: str | None = None) -> SimpleNamespace | None:
        return cls.known.get((provider, uid))

    @classmethod
    def create_social_auth(cls, user: SimpleNamespace, uid: str, provider: str, **_: Any) -> SimpleNamespace:
        extra: dict[str, Any] = {}
        made = SimpleNamespace(user=user, uid=uid, provider=provider, extra_data=extra, set_extra_data=extra.update)
        cls.known[provider, uid] = made
        return made


class Storage(BaseStorage):
    user, nonce, association = Users, Nonces, Associations


class Website(BaseStrategy[Any]):
    """A web site's own part: its settings, one browser's session, and the request that is being answered."""

    def __init__(self, **settings: str | bool) -> None:
        super().__init__(Storage)
        self.settings = {f"SOCIAL_AUTH_OIDC_{name}": value for name, value in settings.items()}
        self.session: dict[str, Any] = {}
        self.request: dict[str, str] = {}
        Users.people, Users.known, Nonces.kept, Associations.kept = {}, {}, set(), {}

    def get_setting(self, name: str) -> Any:
        return self.settings[name]

    def get_request_data(self, merge: bool = True) -> dict[str, str]:
        return self.request

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.session[name] = value

    def session_pop(self, name: str) -> Any:
        return self.session.pop(name, None)

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    # What its views do.

    def begin(self) -> str:
        """The view behind the link "Sign in"."""
        return str(OpenIdConnectAuth(self, CALLBACK).auth_url())

    def complete(self, called_back: str) -> Any:
        """The view at the redirect URI; answers the person who is signed in now."""
        self.request = dict(parse_qsl(urlsplit(called_back).query))
        backend = OpenIdConnectAuth(self, CALLBACK)
        backend.data = self.request
        return backend.auth_complete()

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return OpenIdConnectAuth(self, CALLBACK).refresh_token(refresh_token)
