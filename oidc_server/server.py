"""Authlib's AuthorizationServer, made once per app: the skeleton on which every feature mounts itself.

It knows no domain: clients, keys and storage are plugged in by the features that own them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson
from authlib.integrations.flask_oauth2 import AuthorizationServer as AuthlibServer
from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request, UnsupportedGrantTypeError
from flask import Flask, Response
from werkzeug.datastructures import Headers

from . import here, strict_form
from .errors import ProtocolError, json_error
from .form import Form

if TYPE_CHECKING:
    from .settings import Settings

ClientAuthentication = Callable[[OAuth2Request, Sequence[str], str], Any]


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    """The strictly read parameters, in the shape Authlib's grants ask for."""

    def __init__(self, form: Form) -> None:
        self._form = form

    @property
    def data(self) -> Form:
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: self._form.getlist(name) for name in self._form}


class Request(OAuth2Request):  # type: ignore[misc]
    """An OAuth request whose parameters came through strict_form, whatever carried them."""

    client = auth_method = user = authorization_code = refresh_token = credential = _body = _scope = None

    def __init__(self, form: Form, uri: str, method: str, headers: Headers) -> None:
        # Without super(), which parses the URI each time to see that it is https: the settings have seen to that.
        self.method, self.uri, self.headers = method, uri, headers
        self._strict_form = form
        self.payload = Payload(form)

    @property
    def args(self) -> dict[str, str]:
        return {}

    @property
    def form(self) -> Form:
        return self._strict_form


@dataclass(frozen=True)
class Job:
    """A background job: `run` is called about every `seconds`, by one thread of each process."""

    name: str
    seconds: float
    run: Callable[[], object]


class AuthorizationServer(AuthlibServer):  # type: ignore[misc]
    """Authlib's server with our one form reader, our client authentication and a metadata document that is the sum of what was mounted."""

    #: Set by signing.mount() and create_app(); typed Any because higher tiers own them.
    keyring: Any
    storage: Any
    rate_limits: Any

    def __init__(self, app: Flask, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.metadata: dict[str, Any] = {}
        self.jobs: list[Job] = []
        self._authenticate: ClientAuthentication | None = None
        app.extensions["oidc_server"] = self

    def advertise(self, **facts: Any) -> None:
        """Add facts to the metadata document (RFC 8414 §2). Raises ValueError when a fact is advertised twice."""
        for name, value in facts.items():
            if name in self.metadata:
                raise ValueError(f"{name} is advertised twice")
            self.metadata[name] = value

    def advertise_also(self, name: str, *values: str) -> None:
        """Add values to a list in the metadata document that several features fill."""
        self.metadata.setdefault(name, []).extend(value for value in values if value not in self.metadata.get(name, ()))

    def upkeep(self, name: str, seconds: float, run: Callable[[], object]) -> None:
        """Have `run` called about every `seconds` in the background."""
        self.jobs.append(Job(name, seconds, run))

    def use_client_lookup(self, find: Callable[[str], Any]) -> None:
        """Plug in how a client is found by its identifier."""
        self._query_client = find

    def use_client_authentication(self, authenticate: ClientAuthentication) -> None:
        """Plug in how a client proves who it is: authenticate(request, methods, endpoint) -> client."""
        self._authenticate = authenticate

    def authenticate_client(self, request: OAuth2Request, methods: Sequence[str], endpoint: str = "token") -> Any:
        """The client that sent this request. Raises ProtocolError invalid_client (RFC 6749 §5.2)."""
        if self._authenticate is None:
            raise RuntimeError("no client authentication was mounted")
        return self._authenticate(request, methods, endpoint)

    def get_token_grant(self, request: OAuth2Request) -> Any:
        """The grant of the `grant_type`. Raises ProtocolError invalid_request or unsupported_grant_type (RFC 6749 §5.2)."""
        if request.payload.grant_type is None:
            raise ProtocolError("invalid_request", "The grant_type is missing.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError as error:
            raise ProtocolError("unsupported_grant_type", "The grant_type is not supported here.") from error

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Nothing: our grants store what they issue themselves, in the transaction that spends what they took."""

    def create_oauth2_request(self, request: Request | Form | None) -> Request:
        """Authlib's request object; without an argument it is read from the body of the current one, strictly."""
        if isinstance(request, Request):
            return request
        sent = here.request()
        form = strict_form.read_form(sent) if request is None else request
        return Request(form, self.settings.url(sent.path), sent.method, sent.headers)

    def handle_response(self, status_code: int, payload: Any, headers: Any) -> Response:
        # Authlib's headers of JSON hold Cache-Control and Pragma already.
        return Response(orjson.dumps(payload) if isinstance(payload, dict) else payload, status_code, headers)

    def handle_error_response(self, request: Any, error: Any) -> Response:
        return json_error(error)


class _CurrentServer:
    """The server of the app that answers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(here.app().extensions["oidc_server"], name)


current_server = cast(AuthorizationServer, _CurrentServer())
