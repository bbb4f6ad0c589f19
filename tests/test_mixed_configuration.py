"""During a deployment half of the workers have the new settings: what they give out together still fits together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from flask import Flask

from oidc_server.clients import store as clients
from tests import flows
from tests.expectations import expect_revoked, expect_token_error
from tests.flows import Browser, claims_of, header_of

pytestmark = pytest.mark.row("FT-25")

SCOPE = "openid profile offline_access"
OLD: dict[str, Any] = {"signing_algorithms": ("RS256", "ES256")}
#: What a deployment may change, each against OLD.
CHANGES: dict[str, dict[str, Any]] = {
    "lifetimes": {"access_token_lifetime": 120, "id_token_lifetime": 300, "authorization_code_lifetime": 30},
    "refresh": {"refresh_token_idle_lifetime": 3600, "refresh_token_absolute_lifetime": 7200, "refresh_token_grace": 0},
    "sessions": {"session_idle_lifetime": 600, "session_absolute_lifetime": 1200},
    "another default algorithm": {"signing_algorithms": ("ES256", "RS256")},
    "one algorithm more": {"signing_algorithms": ("RS256", "ES256", "PS256", "EdDSA")},
    "an algorithm taken away": {"signing_algorithms": ("RS256",)},
    "PKCE": {"require_pkce": "public clients"},
    "assertions": {"client_assertion_audience": "issuer or token endpoint", "clock_skew": 60},
    "a new secret key": {"secret_key": "f" * 48, "secret_key_fallbacks": ("testing-" + "0123456789abcdef" * 3,)},
    "slots and limits": {"password_hash_slots": 1, "bcrypt_cost": 5, "ratelimit_enabled": True},
}

changed = pytest.mark.parametrize("change", CHANGES)
#: A new secret key is deployed twice: as a fallback everywhere first (below), then as the key.
changed_at_once = pytest.mark.parametrize("change", [name for name in CHANGES if name != "a new secret key"])
either_way = pytest.mark.parametrize("direction", ["old to new", "new to old"])


@pytest.fixture
def workers(make_app: Callable[..., Flask]) -> Callable[[str, str], tuple[Flask, Flask]]:
    """The worker where things begin, and the one where they end."""

    def make(change: str, direction: str) -> tuple[Flask, Flask]:
        old, new = make_app(**OLD), make_app(**(OLD | CHANGES[change]))
        return (old, new) if direction == "old to new" else (new, old)

    return make


def expect_a_consistent_pair(app: Flask, others: tuple[Flask, ...], tokens: dict[str, Any], nonce: bool = True) -> None:
    """Everything in one answer was made under one set of settings, and every worker verifies it."""
    settings = app.extensions["oidc_server"].settings
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert tokens["expires_in"] == access["exp"] - access["iat"] == settings.access_token_lifetime
    assert identity["exp"] - identity["iat"] == settings.id_token_lifetime
    assert header_of(tokens["access_token"])["alg"] == settings.signing_algorithms[0]
    assert header_of(tokens["id_token"])["alg"] == "RS256", "what the client registered, whatever the default"
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert (access["sub"], access["iss"]) == (identity["sub"], identity["iss"])
    assert ("nonce" in identity) is nonce
    for worker in (app, *others):
        published = flows.machine_of(worker).get("/jwks.json", base_url=flows.base_url(worker)).json
        for name in ("access_token", "id_token"):
            header = header_of(tokens[name])
            (key,) = [one for one in published["keys"] if one["kid"] == header["kid"]]
            assert key["alg"] == header["alg"]
            options: Any = {"verify_aud": False}
            pyjwt.decode(tokens[name], pyjwt.PyJWK(key).key, algorithms=[header["alg"]], options=options)
        assert flows.userinfo(worker, tokens["access_token"]).json["sub"] == access["sub"]


@changed
@either_way
def test_a_code_of_one_worker_is_redeemed_at_the_other(
    workers: Callable[[str, str], tuple[Flask, Flask]], change: str, direction: str
) -> None:
    first, second = workers(change, direction)
    code = Browser(first).obtain_code(scope=SCOPE)
    tokens = flows.redeem(second, code).json
    expect_a_consistent_pair(second, (first,), tokens)
    expect_token_error(flows.redeem(first, code))
    for worker in (first, second):
        expect_revoked(worker, tokens)


@changed_at_once
@either_way
def test_refreshing_at_one_then_at_the_other_keeps_one_family(
    workers: Callable[[str, str], tuple[Flask, Flask]], change: str, direction: str
) -> None:
    first, second = workers(change, direction)
    tokens = Browser(first).obtain_tokens(scope=SCOPE)
    seen = [tokens]
    for worker, other in ((second, first), (first, second), (second, first)):
        answer = flows.refresh(worker, seen[-1]["refresh_token"])
        assert answer.status_code == 200, answer.text
        expect_a_consistent_pair(worker, (other,), answer.json, nonce=False)
        seen.append(answer.json)
    expect_token_error(flows.refresh(first, seen[0]["refresh_token"]))
    for worker in (first, second):
        expect_revoked(worker, seen[-1])


@changed_at_once
@either_way
def test_a_sign_in_begun_at_one_ends_at_the_other(
    workers: Callable[[str, str], tuple[Flask, Flask]], change: str, direction: str
) -> None:
    first, second = workers(change, direction)
    browser = Browser(first)
    page = browser.authorize()
    browser.app = second
    browser.client.application = second
    consent = browser.submit(page, username="alice", password="correct horse battery staple")
    browser.app = first
    browser.client.application = first
    answer = flows.answer_of(browser.submit(consent, decision="allow"))
    expect_a_consistent_pair(second, (first,), flows.redeem(second, answer["code"]).json)


def test_a_new_secret_key_goes_out_as_a_fallback_first(make_app: Callable[..., Flask]) -> None:
    old_key, new_key = "testing-" + "0123456789abcdef" * 3, "f" * 48
    prepared = make_app(secret_key=old_key, secret_key_fallbacks=(new_key,))
    renewed = make_app(secret_key=new_key, secret_key_fallbacks=(old_key,))
    tokens: Any = Browser(prepared).obtain_tokens(scope=SCOPE)
    for worker in (renewed, prepared, renewed):
        answer = flows.refresh(worker, tokens["refresh_token"])
        assert answer.status_code == 200, answer.text
        tokens = answer.json


@pytest.mark.parametrize("direction", ["old to new", "new to old"])
def test_a_client_with_an_algorithm_of_its_own_gets_it_from_both(
    workers: Callable[[str, str], tuple[Flask, Flask]], direction: str
) -> None:
    first, second = workers("another default algorithm", direction)
    with first.app_context():
        clients.create(
            {
                "redirect_uris": [flows.REDIRECT_URIS["web"]],
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"],
                "id_token_signed_response_alg": "ES256",
            },
            client_id="elliptic",
        )
    for begin, end in ((first, second), (second, first)):
        code = Browser(begin).obtain_code(client_id="elliptic")
        tokens = flows.redeem(end, code, client_id="elliptic").json
        assert header_of(tokens["id_token"])["alg"] == "ES256"
