"""How an answer leaves: state exactly as it came, who answers, one Location, no fragment of ours."""

from __future__ import annotations

import math
from collections import Counter
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from flask import Flask

from tests import flows
from tests.expectations import ISSUER, expect_error_redirect, expect_page
from tests.flows import Browser

STATES = [
    "a b+c&d=e%20f#g?h",
    "%2525%0A",
    "/?:@-._~!$&'()*+,;=",
    '"><script>alert(1)</script>',
    "\u00fcber \u6f22\u5b57 \U0001f600",
    "\r\nSet-Cookie: x=1\r\n\r\n<html>",
    "\t \x7f\x01",
    "s" * 128,
    "s" * 1000,
    "x" * 4096,
    "0",
    "null",
    "_",
]


@pytest.mark.row("AR-08", "RU-21")
@pytest.mark.spec("RFC 6749 §4.1.2", "RFC 6749 §4.1.2.1", "OIDC Core §3.1.2.5")
@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
def test_state_comes_back_as_it_was_sent(agreed: Browser, state: str) -> None:
    response = agreed.authorize(follow=False, state=state)
    (location,) = response.headers.getlist("Location")
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    assert dict(pairs)["state"] == state
    assert [name for name, _ in pairs] == ["code", "state", "iss"]
    assert location.isascii() and location.isprintable() and " " not in location
    assert {name for name, _ in response.headers} & {"X", "Set-Cookie"} == set()
    expect_error_redirect(agreed.authorize(follow=False, state=state, scope="no-such"), "invalid_scope", state=state)


@pytest.mark.row("AR-08")
def test_a_state_of_absurd_length_is_not_sent_anywhere(agreed: Browser) -> None:
    expect_page(agreed.authorize(follow=False, state="x" * 4097), "invalid_request", never=("xxxx",))
    expect_page(agreed.authorize(follow=False, state="x" * 9000), "invalid_request", never=("xxxx",))
    expect_page(agreed.authorize(follow=False, state="x" * 2**20), "invalid_request", status=414, never=("xxxx",))


@pytest.mark.spec("RFC 6749 §4.1.2")
def test_without_state_there_is_none_in_the_answer(agreed: Browser) -> None:
    assert flows.answer_of(agreed.authorize(follow=False, state=None)).keys() == {"code", "iss"}
    assert flows.answer_of(agreed.authorize(follow=False, state="")).keys() == {"code", "iss"}
    expect_error_redirect(agreed.authorize(follow=False, state=None, scope="no-such"), "invalid_scope", state=None)


@pytest.mark.row("AR-20")
@pytest.mark.spec("RFC 9207 §2", "RFC 9207 §2.3", "RFC 9207 §3")
def test_every_answer_says_who_answers(app: Flask, agreed: Browser, browser: Browser) -> None:
    metadata = agreed.get("/.well-known/openid-configuration").json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    answers = [
        agreed.authorize(follow=False),
        agreed.authorize(follow=False, response_type="token"),
        agreed.authorize(follow=False, response_type=None),
        agreed.authorize(follow=False, request="x"),
        browser.authorize(follow=False, prompt="none"),
        agreed.authorize(follow=False, prompt="none", scope="openid address"),
        browser.submit(browser.authorize(), follow=True, action="cancel"),
        agreed.submit(agreed.authorize(prompt="consent"), follow=False, decision="deny"),
    ]
    for answer in answers:
        assert answer.status_code == 303
        query = parse_qsl(urlsplit(answer.location).query)
        assert [value for name, value in query if name == "iss"] == [ISSUER] == [metadata["issuer"]]


@pytest.mark.spec("RFC 6749 §3.1.2", "RFC 6749 appendix B")
@pytest.mark.parametrize(
    ("registered", "separator"),
    [
        ("https://app.example/cb", "?"),
        ("https://app.example/cb?tenant=a%20b&x=", "&"),
        ("https://app.example/cb?", "&"),
        ("https://app.example", "?"),
    ],
)
def test_the_query_of_a_registered_address_is_kept(app: Flask, alice: Browser, registered: str, separator: str) -> None:
    with app.app_context():
        flows.register("queried", redirect_uris=[registered])
    page = alice.authorize(client_id="queried", redirect_uri=registered)
    response = alice.submit(page, follow=False, decision="allow")
    assert response.location.startswith(f"{registered}{separator}code=")
    code = dict(parse_qsl(urlsplit(response.location).query))["code"]
    assert flows.redeem(app, code, client_id="queried", redirect_uri=registered).status_code == 200
    refused = alice.authorize(follow=False, client_id="queried", redirect_uri=registered, scope="no-such")
    expect_error_redirect(refused, "invalid_scope", redirect_uri=registered)


@pytest.mark.row("RU-22")
@pytest.mark.spec("RFC 9700 §4.12")
def test_after_credentials_the_browser_goes_on_with_get(alice: Browser, browser: Browser) -> None:
    page = browser.authorize()
    signed_in = browser.submit(page, follow=False, username="alice", password="correct horse battery staple")
    assert signed_in.status_code == 303
    page = browser.follow(signed_in)
    for decision in ("switch", "deny"):
        assert alice.submit(alice.authorize(prompt="consent"), follow=False, decision=decision).status_code == 303
    assert browser.submit(page, follow=False, decision="allow").status_code == 303


@pytest.mark.row("RU-26")
@pytest.mark.spec("RFC 9700 §4.1.3")
def test_an_error_carries_no_fragment_of_ours_on(browser: Browser) -> None:
    assert browser.authorize(follow=False, prompt="none").location.endswith("#_")


@pytest.mark.row("AC-08")
@pytest.mark.spec("RFC 6749 §10.10")
def test_codes_are_long_and_random(agreed: Browser) -> None:
    codes = [agreed.obtain_code() for _ in range(20)]
    assert len(set(codes)) == 20
    for code in codes:
        assert (len(code) - 3) * 6 >= 256
        assert code.isascii() and all(letter.isalnum() or letter in "-_" for letter in code)
        # OpenID certification asks for a Shannon entropy of more than 96 bits.
        assert -sum(n * math.log2(n / len(code)) for n in Counter(code).values()) > 96
    # The first 16 bits say where the family will lie, and are the same for one second (tokens/names.py).
    rests = [code[3:] for code in codes]
    assert not set.intersection(*({(i, letter) for i, letter in enumerate(rest)} for rest in rests)), "no constant part"


def test_our_own_addresses_are_short(browser: Browser) -> None:
    """Long challenges break proxies, so what the app sent never travels through our addresses again."""
    response = browser.authorize(
        follow=False, state="s" * 4000, nonce="n" * 4000, login_hint="h" * 4000, ui_locales="l" * 1000
    )
    seen = []
    while flows.is_ours(browser.app, response.location):
        seen.append(response.location)
        page = browser.follow(response)
        values = {"decision": "allow"} if "consent-allow" in page.text else {"username": "alice"}
        response = browser.submit(page, follow=False, password="correct horse battery staple", **values)
    assert len(seen) >= 2
    assert max(len(location) for location in seen) < 500
    state, rest = "s" * 4000, len(response.location) - 4000
    assert flows.answer_of(response)["state"] == state
    assert rest < 500


@pytest.mark.row("AR-21")
@pytest.mark.spec("RFC 9700 §2.6")
@pytest.mark.parametrize("origin", ["https://evil.example", "https://photos.example", "null"])
def test_no_script_reads_the_authorization_endpoint(agreed: Browser, origin: str) -> None:
    query = "/authorize?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in flows.request_of().items())
    for path in (query, "/authorize", "/consent?transaction=x", "/login", "/logout"):
        answers = [agreed.get(path, headers={"Origin": origin})]
        answers += [agreed.client.options(path, base_url=ISSUER, headers={"Origin": origin})]
        for response in answers:
            assert not [name for name, _ in response.headers if name.startswith("Access-Control-")]
