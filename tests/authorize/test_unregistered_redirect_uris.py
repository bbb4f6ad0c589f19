"""An address that is not registered, character by character, is never sent anything: no code and no error."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask

from tests import flows
from tests.expectations import audited, expect_page, no_effect, rows_of
from tests.flows import Browser, request_of

REGISTERED = "https://photos.example/callback"
#: row -> what stands in for the registered address of the app `web`.
FOREIGN = {
    "RU-01": ["https://evil.example/cb", "/callback", "//photos.example/callback", "callback", "https:///callback"],
    "RU-03": [
        "https://photos.example.evil.example/callback",
        "https://evil.example/photos.example/callback",
        "https://photosxexample/callback",
        "https://evilphotos.example/callback",
        "https://photos.example/callbackevil",
        "https://photos.example/call",
    ],
    "RU-04": [
        "https://photos.example@evil.example/callback",
        "https://photos.example:443@evil.example/callback",
        "https://a@b@photos.example/callback",
        "https://@photos.example/callback",
    ],
    "RU-05": [f"{REGISTERED}#x", f"{REGISTERED}#", f"{REGISTERED}%23x"],
    "RU-06": [
        f"{REGISTERED}/../evil",
        f"{REGISTERED}/..;/evil",
        f"{REGISTERED}/%2e%2e/x",
        f"{REGISTERED}%2f..%2fx",
        "https://photos.example/x/../callback",
        "https://photos.example/./callback",
        "https://photos.example//callback",
    ],
    "RU-07": [f"{REGISTERED};evil=1", f"{REGISTERED};"],
    "RU-08": [f"{REGISTERED}?x=1", f"{REGISTERED}?", f"{REGISTERED}?code=attacker", f"{REGISTERED}&x=1"],
    "RU-09": [
        f"{REGISTERED}\\x",
        "https://photos.example\\@evil.example/callback",
        f"{REGISTERED}\t",
        f"{REGISTERED}\r",
        f"{REGISTERED}\n",
        f"{REGISTERED}\r\nSet-Cookie: x=1",
        "https://photos.example/\tcallback",
        f" {REGISTERED}",
        f"{REGISTERED} ",
        f'{REGISTERED}"',
        f"{REGISTERED}<script>alert(1)</script>",
        f"{REGISTERED}é",
        f"{REGISTERED}\u202e",
        f"{REGISTERED}\udbff".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
    "RU-10": [
        "HTTPS://photos.example/callback",
        "https://PHOTOS.example/callback",
        "https://photos.example:443/callback",
        "https://photos.example./callback",
        "https://photos.example/%63allback",
        "https://photos.example/callback/",
        "https://photos.example/Callback",
        "http://photos.example/callback",
    ],
    "RU-11": [
        "https://ph\u043etos.example/callback",
        "https://photos\uff0eexample/callback",
        "https://photos.example\uff0fcallback",
        "https://xn--phtos-fye.example/callback",
    ],
    "RU-14": [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "javascript://photos.example/callback%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://photos.example/1",
    ],
    "RU-15": ["myapp:/cb", "urn:ietf:wg:oauth:2.0:oob"],
    "RU-16": ["https://photos.example/*", "*", ".*", "https://*.example/callback"],
}


@pytest.mark.row(*FOREIGN)
@pytest.mark.spec("RFC 6749 §3.1.2.4", "RFC 9700 §2.1", "RFC 9700 §4.1.3", "OIDC Core §3.1.2.1")
@pytest.mark.parametrize("row", FOREIGN)
def test_an_unregistered_address_is_answered_by_a_page(app: Flask, alice: Browser, row: str) -> None:
    with no_effect(app):
        for uri in FOREIGN[row]:
            for method in ("GET", "POST"):
                query = urlencode(request_of(redirect_uri=uri))
                response = (
                    alice.get(f"/authorize?{query}")
                    if method == "GET"
                    else alice.post("/authorize", query, content_type="application/x-www-form-urlencoded")
                )
                expect_page(response, "invalid_request", never=("evil", "alert(1)", "<script>"))
                assert "redirect_uri" in response.text, uri


@pytest.mark.row("RU-09")
def test_nul_and_bytes_that_are_no_text_are_refused_before_anything_parses_them(app: Flask, alice: Browser) -> None:
    good = urlencode(request_of(redirect_uri=None))
    with no_effect(app):
        for raw in ("%00", "%ff", "%c0%af", "%ed%a0%80", "%zz", "%"):
            expect_page(alice.get(f"/authorize?{good}&redirect_uri={quote(REGISTERED, safe='')}{raw}"))


ERRORS: list[dict[str, Any]] = [
    {"response_type": "zzz"},
    {"response_type": None},
    {"prompt": "none"},
    {"scope": "profile"},
    {"scope": "no-such-scope"},
    {"response_mode": "web_message"},
    {"response_mode": "form_post", "scope": "no-such-scope"},
    {"max_age": "abc"},
    {"code_challenge": None, "code_challenge_method": None},
    {"request": "e30.e30."},
    {"request_uri": "https://evil.example/request"},
    {"claims": "{"},
    {"id_token_hint": "x"},
    {"resource": "https://unknown.example/"},
]


@pytest.mark.row("RU-02")
@pytest.mark.spec("RFC 6749 §4.1.2.1", "OIDC Core §3.1.2.6")
@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_no_other_error_is_sent_to_an_unregistered_address(app: Flask, browser: Browser, error: dict[str, Any]) -> None:
    with no_effect(app):
        for where in (
            {"redirect_uri": "https://evil.example/cb"},
            {"client_id": "no-such-client", "redirect_uri": "https://evil.example/cb"},
            {"client_id": "no-such-client", "redirect_uri": REGISTERED},
            {"client_id": None},
            {"client_id": "other", "redirect_uri": REGISTERED},
        ):
            expect_page(browser.authorize(follow=False, **{**error, **where}), never=("evil.example",))


@pytest.mark.row("RU-17")
@pytest.mark.spec("RFC 6749 §3.1")
@pytest.mark.parametrize(
    "again",
    [
        f"redirect_uri={quote(REGISTERED, safe='')}",
        "redirect_uri=https%3A%2F%2Fevil.example%2Fcb",
        "redirect_uri=",
        "client_id=web",
        "client_id=other",
        "client_id=",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_client_and_address_are_named_once(app: Flask, alice: Browser, again: str, first: bool) -> None:
    query = urlencode(request_of())
    with no_effect(app):
        expect_page(alice.get("/authorize?" + (f"{again}&{query}" if first else f"{query}&{again}")), "invalid_request")


@pytest.mark.row("RU-18")
@pytest.mark.spec("RFC 6749 §3.1.2.3")
def test_of_several_registered_addresses_one_must_be_named(app: Flask, alice: Browser) -> None:
    with app.app_context():
        flows.register("two", redirect_uris=["https://two.example/a", "https://two.example/b"])
    with no_effect(app):
        expect_page(alice.authorize(follow=False, client_id="two", redirect_uri=None), "invalid_request")


def test_the_only_registered_address_may_be_left_out(alice: Browser) -> None:
    page = alice.authorize(redirect_uri=None)
    assert alice.submit(page, follow=False, decision="allow").location.startswith(f"{REGISTERED}?code=")


@pytest.mark.row("RU-01")
def test_the_log_says_what_was_asked_and_what_is_registered(alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    reference = expect_page(alice.authorize(follow=False, redirect_uri="https://photos.example/calback"))
    (line,) = audited(caplog, "error_page.shown")
    assert line["reference"] == reference
    assert "https://photos.example/calback" in line["detail"]
    assert REGISTERED in line["detail"]


@pytest.mark.row("RU-02", "RU-09", "AR-09")
def test_a_redirect_is_never_left_behind_for_later(app: Flask, browser: Browser) -> None:
    expect_page(browser.authorize(follow=False, redirect_uri="https://evil.example/cb"))
    assert rows_of(app, "authorization_request") == 0
