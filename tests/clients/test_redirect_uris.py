"""A redirect URI is the registered string or it is refused; only the port of a loopback URI may differ."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oidc_server.clients.redirect_uris import (
    InvalidUri,
    host_of,
    is_absolute_uri,
    matches,
    origin_of,
    require_redirect_uri,
    require_web_uri,
)

REGISTERED = "https://app.example.com/cb"
LOOPBACK = ["http://127.0.0.1/cb", "http://[::1]:8000/cb?x=1", "http://localhost:9000/cb"]
PRIVATE = "com.example.app:/oauth2/cb"

#: row -> URIs that neither match REGISTERED nor, where marked, may be registered.
FOREIGN = {
    "RU-01": ["https://evil.example/cb", "", "/cb", "//app.example.com/cb"],
    "RU-03": ["https://app.example.com.evil/cb", "https://evil/app.example.com", "https://appxexample.com/cb"],
    "RU-07": ["https://app.example.com/cb;evil=1", "https://app.example.com/cb;"],
    "RU-08": [
        "https://app.example.com/cb?x=1",
        "https://app.example.com/cb?",
        "https://app.example.com/cb?code=attacker",
    ],
}
UNREGISTRABLE = {
    "RU-04": [
        "https://app.example.com@evil/cb",
        "http://localhost:80@evil/cb",
        "https://a@b@app.example.com/",
        "https://:@app.example.com/cb",
        "https://app.example.com%40evil/cb",
        "com.example.app://user@host/cb",
    ],
    "RU-05": ["https://app.example.com/cb#x", "https://app.example.com/cb#", "#", "com.example.app:/cb#x"],
    "RU-06": [
        "https://app.example.com/cb/../evil",
        "https://app.example.com/cb/..;/evil",
        "https://app.example.com/cb/%2e%2e/x",
        "https://app.example.com/cb%2f..%2fx",
        "https://app.example.com/..",
        "https://app.example.com/./cb",
        "https://app.example.com/cb%5c..",
        "com.example.app:/cb/../evil",
    ],
    "RU-09": [
        "https://app.example.com/cb\\x",
        "https://client.example\\@evil.example/cb",
        "https://app.example.com/c\tb",
        "https://app.example.com/cb\r",
        "https://app.example.com/cb\n",
        "https://app.example.com/cb\0",
        "https://app.example.com/cb%00",
        " https://app.example.com/cb",
        "https://app.example.com/c b",
        'https://app.example.com/"',
        "https://app.example.com/<",
        "https://app.example.com/cb?a[]=1",
        "https://app.example.com/\u00e9",
        "https://app.example.com/%zz",
        "https://app.example.com/%2",
        "ht\ntps://app.example.com/cb",
    ],
    "RU-10": [
        "HTTPS://app.example.com/cb",
        "https://APP.example.com/cb",
        "https://app.example.com./cb",
        "https://app.example.com:0443/cb",
        "https://app.example.com:/cb",
        "https://app.example.com:65536/cb",
        "https:/app.example.com/cb",
        "https:app.example.com/cb",
        "https:///app.example.com/cb",
        "https://",
    ],
    "RU-11": [
        "https://\u0430pp.example.com/cb",
        "https://app\uff0eexample.com/cb",
        "https://app.example.com\uff0fcb",
        "https://\u00fcber.example/cb",
    ],
    "RU-12": [
        "http://127.0.0.1.evil/cb",
        "http://127.1:9/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://0177.0.0.1/cb",
        "http://0.0.0.0/cb",
        "http://127.0.0.2/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[::1%25lo]/cb",
        "http://localhost.evil/cb",
        "https://127.1/cb",
        "https://2130706433/cb",
        "https://0x7f000001/cb",
        "https://999.0.0.1/cb",
        "https://[::1/cb",
        "https://[::g]/cb",
    ],
    "RU-13": ["http://app.example.com/cb", "http://192.168.0.1/cb"],
    "RU-14": [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "javascript://x/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/1",
        "about:blank",
        "view-source:https://app.example.com/",
    ],
    "RU-15": [
        "myapp:/cb",
        "myapp://cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "com.example.app:",
        "com.example.app:cb",
        ".app:/cb",
    ],
    "RU-16": ["https://*.example.com/*", "https://app.example.com/*", ".*", "*", "^https://app[.]example[.]com/cb$"],
}
GOOD = [
    REGISTERED,
    PRIVATE,
    *LOOPBACK,
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:8443/cb?foo=bar&baz=%20#".removesuffix("#"),
    "https://app.example.com/cb?next=%2Fhome",
    "https://xn--bcher-kva.example/cb",
    "https://203.0.113.7/cb",
    "https://[2001:db8::1]:8443/cb",
    "https://intranet/cb",
    "https://medium.example/@user/cb",
    "com.example.app:/",
    "com.Example.App://callback",
]


def by_row(table: dict[str, list[str]]) -> list[object]:
    return [pytest.param(uri, marks=pytest.mark.row(row)) for row, uris in table.items() for uri in uris]


@pytest.mark.parametrize("uri", by_row(FOREIGN | UNREGISTRABLE))
def test_a_uri_that_is_not_registered_does_not_match(uri: str) -> None:
    assert not matches(uri, [REGISTERED, PRIVATE])


@pytest.mark.parametrize("uri", by_row(UNREGISTRABLE))
def test_a_dangerous_uri_cannot_be_registered(uri: str) -> None:
    with pytest.raises(InvalidUri) as refusal:
        require_redirect_uri(uri)
    assert str(refusal.value).endswith(".")
    assert len(uri) < 20 or uri not in str(refusal.value)


@pytest.mark.parametrize(
    "value", [None, 1, ["https://app.example.com/cb"], {}, b"https://app.example.com/cb", "x" * 2001]
)
def test_what_is_no_text_cannot_be_registered(value: object) -> None:
    with pytest.raises(InvalidUri):
        require_redirect_uri(value)


@pytest.mark.parametrize("uri", GOOD)
def test_a_good_uri_is_registered_and_matched_as_it_was_given(uri: str) -> None:
    assert require_redirect_uri(uri) == uri
    assert matches(uri, [uri])


@pytest.mark.row("RU-10")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com:443/cb",
        "https://app.example.com/%63b",
        "https://app.example.com/cb/",
        "https://app.example.com/CB",
        "https://app.example.com//cb",
        "https://app.example.com/x/../cb",
    ],
)
def test_uris_that_a_parser_would_call_equal_do_not_match(uri: str) -> None:
    assert not matches(uri, [REGISTERED])


@pytest.mark.row("RU-12")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:51004/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:1/cb?x=1",
        "http://[::1]/cb?x=1",
        "http://localhost:65535/cb",
    ],
)
def test_a_loopback_uri_may_have_any_port(uri: str) -> None:
    assert matches(uri, LOOPBACK)


@pytest.mark.row("RU-12")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb\n",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:1:2/cb",
        "http://127.0.0.1:1@evil/cb",
        "http://127.0.0.1:\uff11/cb",
        "https://127.0.0.1:51004/cb",
        "HTTP://127.0.0.1:51004/cb",
        "http://localhost:1/cb#x",
        "http://LOCALHOST:1/cb",
        "http://localhost.evil:1/cb",
        *UNREGISTRABLE["RU-12"],
    ],
)
def test_nothing_but_the_port_of_a_loopback_uri_may_differ(uri: str) -> None:
    assert not matches(uri, LOOPBACK)


@pytest.mark.row("RU-12")
def test_localhost_and_other_hosts_get_no_exception_unless_registered() -> None:
    assert not matches("http://localhost:1/cb", ["http://127.0.0.1/cb"])
    assert not matches("http://127.0.0.1:1/cb", ["http://localhost/cb"])
    assert not matches("https://localhost:2/cb", ["https://localhost:1/cb"])
    assert not matches("https://app.example.com:2/cb", [REGISTERED])


@pytest.mark.row("RU-14")
@pytest.mark.parametrize("uri", [*UNREGISTRABLE["RU-14"], PRIVATE, "http://app.example.com/"])
def test_pages_about_an_app_are_web_pages(uri: str) -> None:
    with pytest.raises(InvalidUri):
        require_web_uri(uri)
    assert require_web_uri("https://app.example.com/privacy") == "https://app.example.com/privacy"


def test_people_are_shown_the_host() -> None:
    assert host_of("https://app.example.com/cb?x=1") == "app.example.com"
    assert host_of("http://localhost:8001/cb") == "localhost:8001"
    assert host_of(PRIVATE) == "com.example.app"


def test_an_origin_is_what_browsers_send() -> None:
    assert origin_of("https://app.example.com:443/cb") == "https://app.example.com"
    assert origin_of("http://localhost:8001/cb") == "http://localhost:8001"
    assert origin_of("https://[2001:db8::1]:8443") == "https://[2001:db8::1]:8443"
    assert origin_of(PRIVATE) is None


@pytest.mark.row("AR-22")
def test_a_resource_is_an_absolute_uri_without_fragment() -> None:
    for uri in ("https://api.example.com/", "urn:example:api", "https://api.example.com"):
        assert is_absolute_uri(uri)
    for value in ("/api", "api", "https://api.example.com/#x", "https:", "", None, 1, "https://api example.com"):
        assert not is_absolute_uri(value)


PIECES = [*"aA/\\@#?:.*; \n\t\0é", "", "..", "/../", "%2e", ":1", "evil", "127.0.0.1"]


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str]:
    original = draw(st.sampled_from(GOOD))
    text = original
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        piece = draw(st.sampled_from(PIECES))
        text = text[:at] + piece + text[at + draw(st.integers(0, 2)) :]
    return original, text


_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)", re.DOTALL)


def is_port_change(registered: str, requested: str) -> bool:
    theirs, ours = _LOOPBACK.fullmatch(requested), _LOOPBACK.fullmatch(registered)
    if not theirs or not ours or (theirs[1], theirs[3]) != (ours[1], ours[3]):
        return False
    return theirs[2] is None or int(theirs[2]) <= 65535


@settings(max_examples=200, deadline=None)
@given(mutations())
def test_a_changed_uri_matches_only_if_nothing_but_a_loopback_port_changed(pair: tuple[str, str]) -> None:
    registered, requested = pair
    assert matches(requested, [registered]) == (requested == registered or is_port_change(registered, requested))


@settings(max_examples=200, deadline=None)
@given(mutations())
def test_whatever_can_be_registered_is_plain_ascii_and_safe_to_send_a_browser_to(pair: tuple[str, str]) -> None:
    try:
        uri = require_redirect_uri(pair[1])
    except InvalidUri:
        return
    assert uri == pair[1]
    assert re.fullmatch(r"[!-~]+", uri) and not set(uri) & set('#*\\"<>')
    scheme = uri.partition(":")[0]
    assert scheme == "https" or "." in scheme or re.match(r"http://(127\.0\.0\.1|\[::1\]|localhost)([:/?]|\Z)", uri)
    assert "/../" not in uri.partition("?")[0] + "/"
