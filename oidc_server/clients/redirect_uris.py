"""The one doorway of redirect URIs: what may be registered, and whether a request's URI is a registered one.

RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1 and §4.1.3. A request is compared as a raw string, never as what a parser
makes of it: urlsplit() drops tabs and newlines and finds other hosts than a browser does.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

MAX_LENGTH = 2000

#: The characters of RFC 3986 §2 without wildcard and brackets; percent signs only before two hexadecimal digits.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#@!$&'()+,;=]|%[0-9A-Fa-f]{2})+", re.ASCII)
_IPV6_HOST = re.compile(r"\A(https?://)\[[0-9a-f:.]+\]")
_USER_NAME = re.compile(r"[^:/?]+://[^/?]*@")
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_REST = r"(?P<rest>[/?].*)?"
_WEB_URI = re.compile(rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.\-]+){_PORT}{_REST}")
_LOOPBACK_URI = re.compile(rf"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost){_PORT}{_REST}")
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "[::1]", "localhost"})
_PRIVATE_USE_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-]*(?:\.[A-Za-z0-9+\-]+)+")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^#]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: Encoded dots, slashes, backslashes and controls mean one thing here and another to the server behind the URI.
_AMBIGUOUS_ESCAPE = re.compile(r"%(?:2e|2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)


class InvalidUri(ValueError):
    """A URI must not be registered; the text is a plain sentence that says why."""


def matches(requested: str, registered: Iterable[str]) -> bool:
    """Whether a requested URI is registered: the same string, or another port of a loopback URI (RFC 8252 §7.3)."""
    return any(requested == uri or _differs_in_loopback_port_only(requested, uri) for uri in registered)


def _differs_in_loopback_port_only(requested: str, registered: str) -> bool:
    theirs, ours = _LOOPBACK_URI.fullmatch(requested), _LOOPBACK_URI.fullmatch(registered)
    if theirs is None or ours is None:
        return False
    return theirs["host"] == ours["host"] and theirs["rest"] == ours["rest"] and _is_port(theirs["port"])


def require_redirect_uri(uri: object) -> str:
    """The URI as it was given, fit to be registered (RFC 9700 §2.1, RFC 8252 §7). Raises InvalidUri."""
    text = _require_plain(uri)
    scheme, _, rest = text.partition(":")
    if scheme.lower() in ("http", "https"):
        return _require_web_uri(text)
    if not _PRIVATE_USE_SCHEME.fullmatch(scheme) or not rest.startswith("/"):
        # javascript:, data:, file:, urn: and the like have no dot; a domain name in reverse has (RFC 8252 §7.1).
        raise InvalidUri("A redirect URI must be https, http on this machine, or of the form com.example.app:/path.")
    _require_plain_path(rest)
    return text


def require_web_uri(uri: object) -> str:
    """The URI as it was given: https, or http on this machine, such as a home page. Raises InvalidUri."""
    return _require_web_uri(_require_plain(uri))


def is_absolute_uri(value: object) -> bool:
    """Whether a value is an absolute URI without fragment (RFC 8707 §2), of whatever scheme."""
    return isinstance(value, str) and bool(_CHARACTERS.fullmatch(value) and _ABSOLUTE_URI.fullmatch(value))


def host_of(uri: str) -> str:
    """What people are shown of a registered URI: its host and unusual port, or the scheme of an app's own."""
    found = _WEB_URI.fullmatch(uri)
    if found is None:
        return uri.partition(":")[0]
    return found["host"] + (f":{found['port']}" if found["port"] else "")


def origin_of(uri: str) -> str | None:
    """The origin of a registered URI as browsers send it (RFC 6454 §6.1); None for a scheme of an app's own."""
    found = _WEB_URI.fullmatch(uri)
    if found is None:
        return None
    usual = {"http": "80", "https": "443"}[found["scheme"]]
    port = f":{found['port']}" if found["port"] not in (None, usual) else ""
    return f"{found['scheme']}://{found['host']}{port}"


def _require_plain(uri: object) -> str:
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_LENGTH:
        raise InvalidUri(f"A URI must be a text of 1 to {MAX_LENGTH} characters.")
    if "*" in uri:
        raise InvalidUri("A URI is compared character by character: there are no wildcards.")
    if not _CHARACTERS.fullmatch(_IPV6_HOST.sub(r"\1ipv6", uri)):
        raise InvalidUri("A URI has only the ASCII characters of RFC 3986; an international host has its xn-- form.")
    if "#" in uri:
        raise InvalidUri("A URI must not have a fragment.")  # RFC 6749 §3.1.2
    if _USER_NAME.match(uri):
        raise InvalidUri("A URI must not have a user name before its host.")
    return uri


def _require_web_uri(uri: str) -> str:
    found = _WEB_URI.fullmatch(uri)
    if found is None:
        raise InvalidUri("A web URI must be https://, a host in lower case, maybe a port, and a path.")
    if not _is_port(found["port"]):
        raise InvalidUri("A port lies between 1 and 65535.")
    if found["scheme"] == "http" and found["host"] not in _LOOPBACK_HOSTS:
        raise InvalidUri("A web URI must be https; http is for 127.0.0.1, [::1] and localhost only.")
    _require_host(found["host"])
    _require_plain_path(found["rest"] or "")
    return uri


def _require_host(host: str) -> None:
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise InvalidUri("The host of a URI is not a valid IPv6 address.") from None
        return
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidUri("The host of a URI is not a valid name.")
    if _NUMBER.fullmatch(labels[-1]):
        # Browsers read 127.1, 2130706433 and 0x7f.1 as IPv4 addresses; only the usual spelling is one to everybody.
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise InvalidUri("An IPv4 address must be written as four decimal numbers.") from None


def _require_plain_path(rest: str) -> None:
    path = rest.partition("?")[0]
    if _AMBIGUOUS_ESCAPE.search(path):
        raise InvalidUri("The path of a URI must not hide dots, slashes or control characters by percent-encoding.")
    if any(segment.partition(";")[0] in (".", "..") for segment in path.split("/")):
        raise InvalidUri("The path of a URI must not have . or .. in it.")


def _is_port(port: str | None) -> bool:
    return port is None or 0 < int(port) < 65536
