"""Codes are spent once, by their client, with their verifier; a replay ends what they gave (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients
from oidc_server.database import db
from oidc_server.tokens.models import Family
from tests import flows
from tests.flows import Browser, Clock

pytestmark = pytest.mark.spec("RFC 6749 §4.1.3")
WRONG = "a-wrong-verifier-of-exactly-forty-three-cha"


def refused(app: Flask, code: str, error: str = "invalid_grant", **changes: Any) -> None:
    response = flows.redeem(app, code, **changes)
    assert (response.status_code, response.json["error"]) == (400, error), response.text
    assert "access_token" not in response.json
    assert response.headers["Cache-Control"] == "no-store"


def families(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Family)) or 0


@pytest.mark.row("AC-01")
@pytest.mark.spec("RFC 6749 §4.1.2", "RFC 9700 §4.2.4")
def test_a_replay_is_refused_and_ends_what_the_code_gave(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid offline_access")
    tokens = flows.redeem(app, code).json
    assert flows.userinfo(app, tokens["access_token"]).status_code == 200
    refused(app, code)
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401
    assert flows.refresh(app, tokens["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.row("AC-03")
@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": WRONG},
        {"client_id": "other"},
        {"redirect_uri": "https://photos.example/other"},
        {"code_verifier": None},
    ],
)
def test_a_replay_that_is_not_valid_ends_nothing(app: Flask, alice: Browser, changes: dict[str, Any]) -> None:
    code = alice.obtain_code(scope="openid")
    tokens = flows.redeem(app, code).json
    refused(app, code, **changes)
    assert flows.userinfo(app, tokens["access_token"]).status_code == 200


@pytest.mark.row("AC-04")
def test_another_client_cannot_redeem_it_and_its_own_still_can(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid")
    refused(app, code, client_id="other", redirect_uri="https://photos.example/callback")
    assert flows.redeem(app, code).status_code == 200


@pytest.mark.row("AC-05")
@pytest.mark.parametrize(("after", "status"), [(58, 200), (61, 400)])
def test_it_lives_for_a_minute(app: Flask, alice: Browser, clock: Clock, after: float, status: int) -> None:
    code = alice.obtain_code(scope="openid")
    clock.advance(after)
    assert flows.redeem(app, code).status_code == status


@pytest.mark.row("AC-06", "AC-07", "AC-08")
def test_only_the_exact_code_is_one(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    code = alice.obtain_code(scope="openid")
    assert len(code) == 46
    for other in (code[:-1], code + "A", code + "=", code.swapcase(), " " + code, tokens["refresh_token"], "x" * 46):
        refused(app, other)
    assert flows.redeem(app, code).status_code == 200


@pytest.mark.row("RU-19")
@pytest.mark.parametrize("redirect_uri", [None, "https://photos.example/callback/", "https://evil.example/"])
def test_the_redirect_uri_is_the_one_that_was_sent(app: Flask, alice: Browser, redirect_uri: str | None) -> None:
    code = alice.obtain_code(scope="openid")
    refused(app, code, redirect_uri=redirect_uri)
    assert flows.redeem(app, code).status_code == 200, "a mistake does not burn the code"


@pytest.mark.row("PK-03", "PK-04", "AC-09")
@pytest.mark.spec("RFC 7636 §4.6")
def test_a_missing_or_wrong_verifier_does_not_spend_the_code(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid")
    refused(app, code, code_verifier=None)
    refused(app, code, code_verifier=WRONG)
    assert families(app) == 0
    assert flows.redeem(app, code).status_code == 200


@pytest.mark.row("PK-04")
def test_the_fifth_wrong_verifier_burns_the_code(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid")
    for _ in range(5):
        refused(app, code, code_verifier=WRONG)
    refused(app, code)


@pytest.mark.row("PK-06")
@pytest.mark.spec("RFC 7636 §4.1")
@pytest.mark.parametrize("verifier", ["short", "a" * 42, "a" * 129, "a" * 42 + "ä", "a" * 42 + " "])
def test_a_malformed_verifier_is_an_invalid_request(app: Flask, alice: Browser, verifier: str) -> None:
    refused(app, alice.obtain_code(scope="openid"), "invalid_request", code_verifier=verifier)


@pytest.mark.row("PK-05")
@pytest.mark.spec("RFC 9700 §4.8")
def test_a_verifier_without_a_challenge_shows_that_the_challenge_was_stripped(app: Flask, alice: Browser) -> None:
    with app.app_context():
        clients.update("web", {"require_pkce": False})
    stripped = alice.obtain_code(scope="openid", code_challenge=None, code_challenge_method=None)
    refused(app, stripped)
    assert flows.redeem(app, stripped, code_verifier=None).status_code == 200, "the client may go without PKCE"


@pytest.mark.row("PK-01", "PK-02", "PK-06", "PK-07")
@pytest.mark.spec("RFC 7636 §4.3", "RFC 7636 §4.4.1")
@pytest.mark.parametrize("client_id", ["web", "spa"])
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "S512"},
        {"code_challenge": None},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 44},
        {"code_challenge": "a" * 42 + "="},
    ],
)
def test_pkce_is_checked_where_the_request_starts(alice: Browser, client_id: str, changes: dict[str, Any]) -> None:
    response = alice.authorize(client_id=client_id, **changes)
    answer = flows.answer_of(response)
    assert answer["error"] == "invalid_request"
    assert answer["state"] == "a-state"
    assert answer["iss"] == "https://id.example.test"
    assert "code" not in answer


@pytest.mark.row("PK-08")
def test_neither_challenge_nor_verifier_comes_back(
    app: Flask, alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    response = alice.authorize(scope="openid")
    response = alice.submit(response, decision="allow") if "consent-allow" in response.text else response
    tokens = flows.redeem(app, flows.answer_of(response)["code"])
    for text in (response.location, response.text, tokens.text, caplog.text):
        assert flows.CHALLENGE not in text
        assert flows.VERIFIER not in text


def disable_account(browser: Browser) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.disable(account.id)


def change_password(browser: Browser) -> None:
    account = accounts.find_by_login("alice")
    assert account is not None
    accounts.set_password(account.id, "an entirely different passphrase")


def take_the_scope_away(browser: Browser) -> None:
    clients.update("web", {"scope": "profile"})


def sign_out(browser: Browser) -> None:
    browser.submit(browser.get("/logout"), decision="confirm")


@pytest.mark.row("AC-10", "LO-05")
@pytest.mark.parametrize("change", [disable_account, change_password, take_the_scope_away, sign_out])
def test_what_happened_since_it_was_issued_counts(
    app: Flask, alice: Browser, clock: Clock, change: Callable[[Browser], None]
) -> None:
    code = alice.obtain_code(scope="openid")
    clock.advance(1)
    with app.app_context():
        change(alice)
    refused(app, code)
    assert families(app) == 0


@pytest.mark.row("AC-10")
def test_a_disabled_client_redeems_nothing(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid")
    with app.app_context():
        clients.update("web", {}, is_disabled=True)
    response = flows.redeem(app, code)
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")


def test_a_missing_code_is_an_invalid_request(app: Flask) -> None:
    response = flows.token_request(app, grant_type="authorization_code", redirect_uri="https://photos.example/callback")
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


@pytest.mark.row("JW-23")
@pytest.mark.spec("OIDC Core §2", "OIDC Core §3.1.3.6", "RFC 9068 §2.2")
def test_what_is_issued_holds_together(app: Flask, alice: Browser) -> None:
    import base64
    import hashlib

    seen = set()
    for resource in (None, "https://api.photos.example/"):
        tokens = alice.obtain_tokens(scope="openid photos:read" if resource else "openid", resource=resource)
        access, identity = flows.claims_of(tokens["access_token"]), flows.claims_of(tokens["id_token"])
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        assert set(identity) <= {
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "at_hash",
            "sid",
        }
        assert set(access) == {
            "iss",
            "sub",
            "aud",
            "client_id",
            "iat",
            "exp",
            "jti",
            "scope",
            "auth_time",
            "acr",
            "amr",
        }
        assert access["sub"] == identity["sub"]
        published = {
            key["kid"] for key in flows.machine_of(app).get("/jwks.json", base_url=flows.base_url(app)).json["keys"]
        }
        for token in (tokens["access_token"], tokens["id_token"]):
            header = flows.header_of(token)
            assert header["alg"] == "RS256"
            assert header["kid"] in published
        seen.add(access["jti"])
    assert len(seen) == 2
