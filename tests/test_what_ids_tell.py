"""Identifiers are random: from one nobody learns another, how many there are, or when they were made (CVE-2025-67717)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from tests import flows
from tests.flows import Browser, claims_of, form_of, header_of

pytestmark = pytest.mark.row("EN-08")

WEB = {"redirect_uris": [flows.REDIRECT_URIS["web"]]}
SCOPE = "openid profile offline_access"


def raw(text: str) -> bytes:
    """The bytes that an identifier spells."""
    if re.fullmatch(r"[0-9a-f]{32,}", text):
        return bytes.fromhex(text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def assert_random(given: Iterable[str], bits: int, place: int = 0) -> None:
    """All different, long enough, one length, and no two alike in any place where a counter or a time would stand.

    The first `place` bytes may be the same in those of one second.
    """
    texts = list(given)
    values = [raw(text) for text in texts]
    assert len(set(values)) == len(values) >= 8
    assert len({len(value) for value in values}) == 1
    assert (len(values[0]) - place) * 8 >= bits
    assert values != sorted(values)
    assert values != sorted(values, reverse=True)
    for first in range(place, len(values[0]) - 3):
        window = {value[first : first + 4] for value in values}
        assert len(window) == len(values), f"bytes {first} to {first + 3} are the same in two: {texts}"


def test_people(app: Flask) -> None:
    with app.app_context():
        made = [accounts.create(f"person{number}", None).id for number in range(12)]
    assert_random(made, 128)


def test_apps_and_their_secrets(app: Flask) -> None:
    with app.app_context():
        made = [clients.create(WEB | {"client_name": f"App {number}"}) for number in range(12)]
    assert_random([one.client.client_id for one in made], 96)
    assert_random([str(one.client_secret) for one in made], 256)


def test_transactions_and_browser_cookies(app: Flask) -> None:
    pages = [Browser(app).authorize() for _ in range(12)]
    assert_random([form_of(page.text)[1]["transaction"] for page in pages], 128)


def test_sessions_codes_and_tokens(app: Flask) -> None:
    codes, tokens, cookies = [], [], []
    for number in range(10):
        with app.app_context():
            accounts.create(f"person{number}", "correct horse battery staple")
        browser = Browser(app)
        browser.sign_in(f"person{number}")
        cookie = browser.client.get_cookie("__Host-oidc_session", domain="id.example.test")
        assert cookie is not None
        cookies.append(cookie.value)
        codes.append(browser.obtain_code(scope=SCOPE))
        tokens.append(flows.redeem(app, codes[-1]).json)
    assert_random(cookies, 256)
    assert_random(codes, 256, place=2)
    assert_random([claims_of(one["id_token"])["sid"] for one in tokens], 128)
    families, own = zip(*(claims_of(one["access_token"])["jti"].split(".") for one in tokens), strict=True)
    assert_random(families, 112, place=2)
    assert_random(own, 96)
    # A refresh token says its family and generation; what is secret of it is neither.
    secret_parts = [base64.urlsafe_b64decode(one["refresh_token"][4:] + "===")[20:] for one in tokens]
    assert_random([base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in secret_parts], 256 + 128)
    for one in tokens:
        assert claims_of(one["id_token"])["sub"] == claims_of(one["access_token"])["sub"]
        assert "person" not in json.dumps([claims_of(one["access_token"]), header_of(one["access_token"])])


def test_tokens_that_apps_get_for_themselves(app: Flask) -> None:
    made = [
        flows.token_request(
            app, "api", grant_type="client_credentials", scope="photos:read", resource="https://api.photos.example/"
        ).json
        for _ in range(10)
    ]
    assert_random([claims_of(one["access_token"])["jti"] for one in made], 96)


def test_keys_are_named_by_their_own_hash(app: Flask) -> None:
    """RFC 7638: a name that follows from the key says nothing about how many there were before it."""
    keyring = app.extensions["oidc_server"].keyring
    seen: list[str] = []
    for _ in range(5):
        seen += [key["kid"] for key in keyring.public()["keys"] if key["kid"] not in seen]
        keyring.rotate("everything")
    assert_random(seen, 256)


def test_references_of_error_pages_and_requests_do_not_count(app: Flask) -> None:
    answers = [app.test_client().get("/nowhere", base_url=flows.base_url(app)) for _ in range(10)]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 10 and ids != sorted(ids)
    pages = [Browser(app).get("/authorize") for _ in range(10)]
    references = [re.findall(r'id="error-reference">([^<]+)<', page.text)[0] for page in pages]
    assert len(set(references)) == 10 and references != sorted(references)


TOTALS = re.compile(r"total|count|number_of|remaining|page_size|next_id|offset", re.IGNORECASE)


def test_no_answer_says_how_many_there_are(app: Flask, alice: Browser, machine: FlaskClient) -> None:
    tokens = alice.obtain_tokens(scope=SCOPE)
    base = flows.base_url(app)
    documents: list[Any] = [
        tokens,
        claims_of(tokens["access_token"]),
        claims_of(tokens["id_token"]),
        flows.userinfo(app, tokens["access_token"]).json,
        flows.introspect(app, tokens["refresh_token"], "web"),
        *(
            machine.get(path, base_url=base).json
            for path in ("/.well-known/openid-configuration", "/jwks.json", "/healthz")
        ),
    ]
    for document in documents:
        names = set(re.findall(r'"([^"]+)":', json.dumps(document)))
        assert not [name for name in names if TOTALS.search(name)]
    for path in ("/login", "/logout", "/authorize", "/userinfo", "/token", "/jwks.json"):
        answer = alice.get(path)
        assert not [name for name in dict(answer.headers) if TOTALS.search(name) or "RateLimit" in name]


def test_no_answer_lists_people_or_apps(app: Flask, alice: Browser, machine: FlaskClient) -> None:
    base = flows.base_url(app)
    for path in ("/accounts", "/users", "/clients", "/register", "/sessions", "/consents", "/token", "/introspect"):
        answer = machine.get(path, base_url=base)
        assert answer.status_code in (404, 405)
        assert "alice" not in answer.text and "spa" not in answer.text
