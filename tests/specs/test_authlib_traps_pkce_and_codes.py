"""Authlib's traps 1 to 3 (docs/authlib.md): PKCE that falls back to plain, PKCE that is asked for too late, codes that count twice."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask

from tests import flows
from tests.expectations import expect_error_redirect, expect_revoked, expect_token_error, no_effect
from tests.flows import CHALLENGE, VERIFIER, Browser

from .authlib_alone import alone

PLAIN = {"code_challenge": VERIFIER, "code_challenge_method": None}


@pytest.mark.trap(1)
@pytest.mark.parametrize("challenge", [VERIFIER, CHALLENGE])
def test_a_challenge_without_a_method_is_never_plain(app: Flask, alice: Browser, challenge: str) -> None:
    with no_effect(app):
        refused = alice.authorize(follow=False, code_challenge=challenge, code_challenge_method=None)
        expect_error_redirect(refused, "invalid_request")


@pytest.mark.trap(1)
def test_the_verifier_is_hashed_whatever_the_code_was_stored_with(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code()
    expect_token_error(flows.redeem(app, code, code_verifier=CHALLENGE))
    assert flows.redeem(app, code).status_code == 200


@pytest.mark.trap(1)
def test_upstream_still_takes_a_missing_method_for_plain_when_only_s256_is_supported() -> None:
    class OnlyS256(CodeChallenge):  # type: ignore[misc]
        SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    server = alone(challenge=OnlyS256())
    assert server.token(code=server.code(**PLAIN), code_verifier=VERIFIER).status_code == 200


@pytest.mark.trap(2)
@pytest.mark.parametrize("client_id", ["web", "spa"])
def test_pkce_is_demanded_of_every_client_before_anybody_signs_in(app: Flask, browser: Browser, client_id: str) -> None:
    with no_effect(app):
        refused = browser.authorize(follow=False, client_id=client_id, code_challenge=None, code_challenge_method=None)
        expect_error_redirect(refused, "invalid_request", redirect_uri=flows.REDIRECT_URIS[client_id])


@pytest.mark.trap(2)
def test_upstream_still_gives_codes_without_a_challenge_and_never_asks_confidential_clients() -> None:
    server = alone(challenge=CodeChallenge(required=True))
    assert server.code(client_id="spa")
    assert server.token(code=server.code()).status_code == 200


@pytest.mark.trap(3)
def test_a_code_that_comes_back_ends_the_tokens_it_gave(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid offline_access")
    tokens: dict[str, Any] = flows.redeem(app, code).json
    expect_token_error(flows.redeem(app, code))
    expect_revoked(app, tokens)


@pytest.mark.trap(3)
def test_wrong_verifiers_burn_the_code_before_they_are_guesses(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code()
    for _ in range(5):
        expect_token_error(flows.redeem(app, code, code_verifier="x" * 43))
    expect_token_error(flows.redeem(app, code))


@pytest.mark.trap(3)
def test_upstream_still_lets_the_tokens_of_a_replayed_code_live() -> None:
    server = alone()
    code = server.code()
    assert server.token(code=code).status_code == 200
    assert server.token(code=code).json["error"] == "invalid_grant"
    assert [token.is_revoked() for token in server.tokens] == [0]


@pytest.mark.trap(3)
def test_upstream_still_issues_before_it_deletes_the_code() -> None:
    order: list[str] = []
    server = alone(grant={"delete_authorization_code": lambda grant, code: order.append("deleted")})
    save = server.server._save_token
    server.server._save_token = lambda token, request: (order.append("issued"), save(token, request))
    assert server.token(code=server.code()).status_code == 200
    assert order == ["issued", "deleted"]
