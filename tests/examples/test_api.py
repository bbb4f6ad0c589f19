"""The example API refuses every token but the right one, over real HTTP, with an issuer made for the test."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from flask import Flask, Response, jsonify
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.serving import BaseWSGIServer, make_server

from examples.api import access_tokens
from examples.api.app import create_app

API = "http://localhost:8002/"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256", "use": "sig"})
KEYS: dict[str, Key] = {
    "RS256": RSA,
    "PS256": RSAKey.generate_key(2048, {"kid": "pss", "alg": "PS256", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec", "alg": "ES256", "use": "sig"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed", "alg": "EdDSA", "use": "sig"}),
}
# What a forger may use.
ANY_ALGORITHM = JWSRegistry(algorithms=[*KEYS, "HS256", "none"], strict_check_header=False)


def listen(app: Flask) -> BaseWSGIServer:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


class Issuer:
    """Publishes keys, and counts how often it is asked for them."""

    def __init__(self) -> None:
        self.keys = list(KEYS.values())
        self.asked = 0
        self.max_age = 300
        app = Flask("issuer")

        @app.get("/.well-known/openid-configuration")
        def metadata() -> Response:
            return jsonify(issuer=self.claimed, jwks_uri=f"{self.url}/jwks.json")

        @app.get("/jwks.json")
        def jwks() -> Response:
            self.asked += 1
            answer = jsonify(keys=[key.as_dict(private=False) for key in self.keys])
            answer.headers["Cache-Control"] = f"public, max-age={self.max_age}"
            return answer

        self._server = listen(app)
        self.url = self.claimed = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, key: Key = RSA, header: dict[str, Any] | None = None, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "alice",
            "aud": API,
            "client_id": "app",
            "iat": now,
            "exp": now + 900,
            "jti": "1",
            "scope": "openid photos:read",
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        full = {"alg": key.alg, "typ": "at+jwt", "kid": key.kid} | (header or {})
        full = {name: value for name, value in full.items() if value is not None}
        return jwt.encode(full, claims, key, registry=ANY_ALGORITHM, default_type=None)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def url(issuer: Issuer) -> Iterator[str]:
    server = listen(create_app(issuer.url, API))
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    hands = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(access_tokens, "time", SimpleNamespace(monotonic=lambda: hands.at))
    return hands


def call(url: str, token: str, method: str = "GET", **arguments: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{url}/photos", headers=headers, timeout=5, **arguments)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_signed_with_any_of_our_algorithms_is_accepted(issuer: Issuer, url: str, algorithm: str) -> None:
    answer = call(url, issuer.token(KEYS[algorithm]))
    assert answer.status_code == 200
    assert answer.json()["owner"] == "alice"
    assert answer.headers["Cache-Control"] == "no-store"


def test_one_of_several_audiences_is_enough(issuer: Issuer, url: str) -> None:
    assert call(url, issuer.token(aud=["https://elsewhere.test", API])).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.test"},
        {"aud": "https://elsewhere.test"},
        {"aud": API.rstrip("/")},
        {"exp": -60},
        {"iat": 600},
        {"nbf": 600},
        *({name: None} for name in access_tokens.CLAIMS),
        {"exp": "never"},
        {"sub": 7},
    ],
    ids=str,
)
def test_wrong_or_missing_claims_are_refused(issuer: Issuer, url: str, changes: dict[str, Any]) -> None:
    now = int(time.time())  # the times above are seconds from now
    moved = {
        name: now + value for name, value in changes.items() if name in ("exp", "iat", "nbf") and type(value) is int
    }
    assert_invalid(call(url, issuer.token(**changes | moved)))


@pytest.mark.parametrize("typ", ["JWT", None, "logout+jwt", "at+jwt2"], ids=str)
def test_another_kind_of_token_of_the_same_issuer_is_refused(issuer: Issuer, url: str, typ: str | None) -> None:
    assert_invalid(call(url, issuer.token(header={"typ": typ})))


def test_the_long_name_of_the_type_is_accepted(issuer: Issuer, url: str) -> None:
    assert call(url, issuer.token(header={"typ": "application/AT+JWT"})).status_code == 200


def test_a_stranger_s_key_under_our_kid_is_refused(issuer: Issuer, url: str) -> None:
    assert_invalid(call(url, issuer.token(RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256"}))))


def test_a_key_brought_along_in_the_header_is_not_used(issuer: Issuer, url: str) -> None:
    own = RSAKey.generate_key(2048, {"kid": "own", "alg": "RS256"})
    assert_invalid(call(url, issuer.token(own, header={"jwk": own.as_dict(private=False)})))


def test_an_unsigned_token_is_refused(issuer: Issuer, url: str) -> None:
    payload = issuer.token().split(".")[1]
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt", "kid": "rsa"}).encode()).decode()
    assert_invalid(call(url, f"{header.rstrip('=')}.{payload}."))


def test_the_public_key_is_no_shared_secret(issuer: Issuer, url: str) -> None:
    for text in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        secret = OctKey.import_key(base64.urlsafe_b64encode(text).decode(), {"kid": "rsa"})
        assert_invalid(call(url, issuer.token(secret, header={"alg": "HS256"})))


def test_a_key_verifies_its_own_algorithm_only(issuer: Issuer, url: str) -> None:
    key = RSAKey.import_key(RSA.as_dict(private=True) | {"alg": "PS256"})
    assert_invalid(call(url, issuer.token(key)))


def test_a_changed_payload_is_refused(issuer: Issuer, url: str) -> None:
    header, _payload, signature = issuer.token().split(".")
    assert_invalid(call(url, f"{header}.{issuer.token(sub='bob').split('.')[1]}.{signature}"))


@pytest.mark.parametrize("junk", ["x", "a.b.c", "....", "e30.e30.e30"])
def test_junk_is_refused(url: str, junk: str) -> None:
    assert_invalid(call(url, junk))


def test_without_a_token_the_challenge_names_no_error_and_says_where_to_look(url: str) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}):
        answer = requests.get(f"{url}/photos", headers=headers, timeout=5)
        assert answer.status_code == 401
        expected = 'Bearer resource_metadata="http://localhost:8002/.well-known/oauth-protected-resource"'
        assert answer.headers["WWW-Authenticate"] == expected


def test_a_token_in_the_query_does_not_count(issuer: Issuer, url: str) -> None:
    assert requests.get(f"{url}/photos", params={"access_token": issuer.token()}, timeout=5).status_code == 401


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", 'Bearer "a"'])
def test_a_malformed_header_is_an_invalid_request(url: str, value: str) -> None:
    answer = requests.get(f"{url}/photos", headers={"Authorization": value}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_each_method_needs_its_own_scope(issuer: Issuer, url: str) -> None:
    answer = call(url, issuer.token(), "POST", json={"title": "Gulls"})
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert 'scope="photos:write"' in answer.headers["WWW-Authenticate"]
    assert call(url, issuer.token(scope="xphotos:read photos:readx")).status_code == 403
    assert call(url, issuer.token(scope=None)).status_code == 403

    assert call(url, issuer.token(scope="photos:write"), "POST", json={"title": "Gulls"}).status_code == 201
    assert "Gulls" in call(url, issuer.token()).json()["photos"]
    assert "Gulls" not in call(url, issuer.token(sub="bob")).json()["photos"]


def test_the_api_describes_itself(issuer: Issuer, url: str) -> None:
    metadata = requests.get(f"{url}/.well-known/oauth-protected-resource", timeout=5).json()
    assert metadata["resource"] == API
    assert metadata["authorization_servers"] == [issuer.url]
    assert metadata["scopes_supported"] == ["photos:read", "photos:write"]
    assert requests.get(url, timeout=5).json()["resource"] == API


def test_keys_are_fetched_once_in_their_max_age(issuer: Issuer, url: str, clock: SimpleNamespace) -> None:
    for _ in range(3):
        assert call(url, issuer.token()).status_code == 200
    clock.at += 299
    assert call(url, issuer.token()).status_code == 200
    assert issuer.asked == 1
    clock.at += 1
    assert call(url, issuer.token()).status_code == 200
    assert issuer.asked == 2


def test_a_withdrawn_key_counts_no_longer_after_the_max_age(issuer: Issuer, url: str, clock: SimpleNamespace) -> None:
    assert call(url, issuer.token()).status_code == 200
    issuer.keys.remove(RSA)
    clock.at += 300
    assert_invalid(call(url, issuer.token()))


def test_an_unknown_kid_asks_for_keys_once_a_minute(issuer: Issuer, url: str, clock: SimpleNamespace) -> None:
    assert call(url, issuer.token()).status_code == 200
    new = RSAKey.generate_key(2048, {"kid": "new", "alg": "RS256"})
    issuer.keys.append(new)
    clock.at += 59
    assert_invalid(call(url, issuer.token(new)))
    assert issuer.asked == 1
    clock.at += 1
    assert call(url, issuer.token(new)).status_code == 200
    assert issuer.asked == 2
    stranger = RSAKey.generate_key(2048, {"kid": "stranger", "alg": "RS256"})
    for _ in range(3):
        assert_invalid(call(url, issuer.token(stranger)))
    assert issuer.asked == 2


def test_known_keys_serve_for_an_hour_when_the_issuer_is_away(issuer: Issuer, url: str, clock: SimpleNamespace) -> None:
    assert call(url, issuer.token()).status_code == 200
    issuer.close()
    clock.at += 300
    assert call(url, issuer.token()).status_code == 200
    clock.at += 3600
    answer = call(url, issuer.token())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_an_issuer_that_was_away_at_first_is_asked_again(issuer: Issuer, url: str, clock: SimpleNamespace) -> None:
    issuer.claimed = "https://elsewhere.test"  # RFC 8414 §3.3: another issuer's metadata must not be used
    assert call(url, issuer.token()).status_code == 503
    issuer.claimed = issuer.url
    assert call(url, issuer.token()).status_code == 503
    clock.at += 5
    assert call(url, issuer.token()).status_code == 200


def test_keys_of_an_unknown_kind_do_not_hide_the_others(issuer: Issuer, url: str) -> None:
    strange = SimpleNamespace(as_dict=lambda private: {"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"})
    issuer.keys.insert(0, strange)  # type: ignore[arg-type]
    assert call(url, issuer.token()).status_code == 200


def assert_invalid(answer: requests.Response) -> None:
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
