"""Secrets that can be recognised again: what a test sent and what the server gave out, in every spelling a log might use."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus, unquote

_IN_PAGES = re.compile(r'name="(csrf_token|approval|transaction|code|id_token_hint)" value="([^"]+)"')
_IN_JSON = re.compile(r'"(access_token|refresh_token|id_token|client_secret)":"([^"]+)"')
_IN_ADDRESSES = re.compile(r"[?&](code|transaction|id_token_hint)=([^&#]+)")
#: Shorter pieces would be found by accident.
_LEAST = 12


class Canaries:
    """Kind -> the values that must never be seen again. As WSGI middleware it collects what the server gives out by itself."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)

    def add(self, kind: str, value: str | None = None) -> str:
        """Watch a value; without one, make one."""
        value = value if value is not None else f"{secrets.token_urlsafe(24)}-canary-{kind.replace(' ', '-')}"
        self.seen[kind].add(value)
        return value

    def watch(self, wsgi_app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def watched(environ: Any, start_response: Any) -> Iterable[bytes]:
            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
                self._read_headers(headers)
                return start_response(status, headers, exc_info)

            answer = wsgi_app(environ, start)
            body = b"".join(answer)
            if close := getattr(answer, "close", None):
                close()
            self._read_body(body.decode("utf-8", "replace"))
            return [body]

        return watched

    def found_in(self, text: str | bytes) -> list[str]:
        """The kinds of the values that occur in a text, each with the spelling that gave it away."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return sorted(
            f"{kind}: {spelling}"
            for kind, values in self.seen.items()
            for value in values
            for spelling in spellings(value)
            if spelling.encode() in raw
        )

    def _read_headers(self, headers: list[tuple[str, str]]) -> None:
        for name, value in headers:
            if name.lower() == "set-cookie" and (cookie := value.split(";")[0].partition("=")[2]):
                self.add("cookie", cookie)
            if name.lower() == "location":
                for kind, found in _IN_ADDRESSES.findall(value):
                    self.add(kind, unquote(found))

    def _read_body(self, body: str) -> None:
        for kind, value in [*_IN_PAGES.findall(body), *_IN_JSON.findall(body)]:
            self.add(kind, html.unescape(value))


def spellings(value: str) -> set[str]:
    """A value as it is, encoded for addresses and JSON, in base64 at any place of a longer text, and its recognisable pieces."""
    whole = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], html.escape(value)}
    whole |= {repr(value)[1:-1], value.encode().hex()}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode()).decode().rstrip("=")
        # The characters at both ends depend on what stands beside the value.
        middle = encoded[(0, 2, 3)[before] : -1]
        whole |= {middle, middle.replace("+", "-").replace("/", "_")}
    if value.count(".") == 2:
        whole |= set(value.split(".")[1:])
    if len(value) > 32:
        whole |= {value[:24], value[-24:]}  # a text that was cut
    return {one for one in whole if len(one) >= _LEAST}
