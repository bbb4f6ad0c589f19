"""A client assertion is made out to us, short-lived, signed with a registered key, and good once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import OctKey, OKPKey, RSAKey

from oidc_server import audit

from ..conftest import ISSUER
from ..flows import Clock
from .asking import ENDPOINTS, ask, assert_unknown, asserted, assertion, basic, make
from .conftest import EC, ED, RSA, jwks_of

METHODS = pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
everywhere = pytest.mark.parametrize("path", sorted(ENDPOINTS))


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "Ed25519"), (ED, "EdDSA")]
)
def test_every_advertised_algorithm_is_accepted(app: Flask, key: Any, algorithm: str) -> None:
    made = make(app, "private_key_jwt")
    for header in ({}, {"kid": key.kid}, {"typ": "JWT"}, {"typ": "client-authentication+jwt"}):
        token = assertion(made, key=key, algorithm=algorithm, header=header)
        assert ask(app, "/token", asserted(token)).status_code == 200


@METHODS
@pytest.mark.row("CA-08")
def test_an_assertion_is_spent_once_at_whatever_endpoint_and_worker(
    app: Flask, make_app: Callable[..., Flask], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: list[str] = []
    monkeypatch.setattr(audit, "record", lambda event, **fields: facts.append(event))
    made = make(app, method)
    token = assertion(made)
    assert ask(app, "/token", asserted(token)).status_code == 200
    for path in ENDPOINTS:
        assert_unknown(ask(app, path, asserted(token)))
    other_worker = make_app(database_url=str(app.extensions["oidc_server"].settings.database_url))
    assert_unknown(ask(other_worker, "/token", asserted(token)))
    assert facts.count(audit.CLIENT_ASSERTION_REPLAYED) == 4


@pytest.mark.row("CA-08")
def test_an_assertion_that_was_refused_is_not_spent(app: Flask) -> None:
    made, stranger = make(app, "private_key_jwt"), make(app, "private_key_jwt")
    forged = assertion(made, key=RSAKey.generate_key(2048), jti="one")
    assert_unknown(ask(app, "/token", asserted(forged)))
    assert_unknown(ask(app, "/token", asserted(assertion(made, jti="one", aud="https://other.example"))))
    assert ask(app, "/token", asserted(assertion(stranger, jti="one"))).status_code == 200
    assert ask(app, "/token", asserted(assertion(made, jti="one"))).status_code == 200


@pytest.mark.row("CA-08")
def test_an_assertion_does_not_come_back_within_the_leeway(app: Flask, clock: Clock) -> None:
    made = make(app, "private_key_jwt")
    token = assertion(made)
    assert ask(app, "/token", asserted(token)).status_code == 200
    for seconds in (59, 10, 2, 3600):
        clock.advance(seconds)
        assert_unknown(ask(app, "/token", asserted(token)))


@everywhere
@METHODS
@pytest.mark.row("CA-09", "JW-20")
@pytest.mark.parametrize(
    "audience",
    [
        f"{ISSUER}/token",
        f"{ISSUER}/par",
        f"{ISSUER}/",
        ISSUER[:-1],
        [ISSUER],
        [ISSUER, f"{ISSUER}/token"],
        "https://other.example",
        {"iss": ISSUER},
        None,
        "",
    ],
)
def test_the_audience_is_the_issuer_as_one_string(app: Flask, path: str, method: str, audience: Any) -> None:
    assert_unknown(ask(app, path, asserted(assertion(make(app, method), aud=audience))))


@pytest.mark.row("CA-09")
def test_the_token_endpoint_is_an_audience_by_setting_only(make_app: Callable[..., Flask]) -> None:
    lenient = make_app(client_assertion_audience="issuer or token endpoint")
    made = make(lenient, "private_key_jwt")
    for audience in (ISSUER, f"{ISSUER}/token"):
        assert ask(lenient, "/revoke", asserted(assertion(made, aud=audience))).status_code == 200
    for other in ([ISSUER], [f"{ISSUER}/token"], f"{ISSUER}/revoke", f"{ISSUER}/token/"):
        assert_unknown(ask(lenient, "/revoke", asserted(assertion(made, aud=other))))


@METHODS
@pytest.mark.row("CA-10", "JW-17")
def test_an_assertion_lives_five_minutes_at_most(app: Flask, clock: Clock, method: str) -> None:
    made = make(app, method)
    now = int(clock())
    for expires_at in (None, now + 86400, now + 330, now - 60, str(now + 60), True, now + 60.5, 253402300799):
        assert_unknown(ask(app, "/token", asserted(assertion(made, exp=expires_at))))
    early: list[dict[str, Any]] = [{"nbf": now + 60}, {"iat": now + 60}]
    for changes in early:
        assert_unknown(ask(app, "/token", asserted(assertion(made, **changes))))
    good: list[dict[str, Any]] = [{"nbf": now + 8}, {"iat": None}, {"exp": now + 299}]
    for changes in good:
        assert ask(app, "/token", asserted(assertion(made, **changes))).status_code == 200


@METHODS
@pytest.mark.row("CA-11", "JW-16")
def test_issuer_and_subject_are_the_client(app: Flask, method: str) -> None:
    made, other = make(app, method), make(app, method)
    name, another = made.client.client_id, other.client.client_id
    for changes in (
        {"iss": another},
        {"sub": another},
        {"iss": [name]},
        {"sub": [name]},
        {"iss": None},
        {"sub": None},
        {"iss": ISSUER},
        {"sub": f"{name}\0"},
        {"sub": ""},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 256},
    ):
        assert_unknown(ask(app, "/token", asserted(assertion(made, **changes))))


@pytest.mark.row("CA-12", "JW-01", "JW-02")
def test_only_a_registered_key_and_algorithm_sign_for_a_client(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    public = json.dumps(RSA.as_dict()).encode()
    pem = RSA.as_pem(private=False)
    for token in (
        assertion(made).rpartition(".")[0] + ".",
        assertion(made, key=RSAKey.generate_key(2048, {"kid": "rsa"}), header={"kid": "rsa"}),
        assertion(made, key=OctKey(public, public), algorithm="HS256"),
        assertion(made, key=OctKey(pem, pem), algorithm="HS256"),
        assertion(made, key=RSA, algorithm="RS512"),
        assertion(made, header={"kid": "ec"}),
        assertion(made, header={"jwk": RSA.as_dict()}, key=RSAKey.generate_key(2048)),
    ):
        assert_unknown(ask(app, "/token", asserted(token)))


@pytest.mark.row("CA-12")
def test_a_registered_algorithm_is_the_only_one(app: Flask) -> None:
    made = make(app, "private_key_jwt", jwks=jwks_of(RSA, EC), token_endpoint_auth_signing_alg="PS256")
    assert ask(app, "/token", asserted(assertion(made, algorithm="PS256"))).status_code == 200
    assert_unknown(ask(app, "/token", asserted(assertion(made, algorithm="RS256"))))
    assert_unknown(ask(app, "/token", asserted(assertion(made, key=EC, algorithm="ES256"))))


@pytest.mark.spec("RFC 9864 §2.2", "OIDC Core §9")
@pytest.mark.parametrize("registered", ["EdDSA", "Ed25519", None])
@pytest.mark.parametrize("named", ["EdDSA", "Ed25519", None])
def test_an_ed25519_key_signs_under_both_names(app: Flask, registered: str | None, named: str | None) -> None:
    key = ED.as_dict() | ({"alg": named} if named else {})
    made = make(app, "private_key_jwt", jwks={"keys": [key]}, token_endpoint_auth_signing_alg=registered)
    for algorithm in ("EdDSA", "Ed25519"):
        assert ask(app, "/token", asserted(assertion(made, key=ED, algorithm=algorithm))).status_code == 200
    forged = assertion(made, key=OKPKey.generate_key("Ed25519"), algorithm="Ed25519")
    assert_unknown(ask(app, "/token", asserted(forged)))
    assert_unknown(ask(app, "/token", asserted(assertion(made, key=OKPKey.generate_key("Ed448"), algorithm="Ed448"))))


@pytest.mark.row("CA-12")
def test_the_secret_of_another_client_does_not_sign(app: Flask) -> None:
    made, other = make(app, "client_secret_jwt"), make(app, "client_secret_jwt")
    assert other.client_secret is not None
    assert_unknown(ask(app, "/token", asserted(assertion(made, key=OctKey.import_key(other.client_secret)))))
    assert_unknown(ask(app, "/token", asserted(assertion(made, key=RSA))))
    assert ask(app, "/token", asserted(assertion(made))).status_code == 200


@pytest.mark.row("CA-13")
def test_a_forged_assertion_is_not_helped_by_a_right_secret(app: Flask) -> None:
    made = make(app)
    response = ask(app, "/token", asserted(assertion(made, key=RSA)), basic(made.client.client_id, made.client_secret))
    assert response.status_code == 400


@METHODS
@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        {"client_assertion": "{good}"},
        {
            "client_assertion": "{good}",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        },
        {"client_assertion": "x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        {"client_assertion": "..", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    ],
)
def test_half_an_assertion_is_refused(app: Flask, method: str, form: dict[str, str]) -> None:
    good = assertion(make(app, method))
    assert_unknown(ask(app, "/token", {name: value.replace("{good}", good) for name, value in form.items()}))


@pytest.mark.row("JW-19")
def test_a_token_of_another_kind_is_no_assertion(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    for typ in ("at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt"):
        assert_unknown(ask(app, "/token", asserted(assertion(made, header={"typ": typ}))))


@pytest.mark.row("JW-05", "JW-06", "JW-07", "JW-08", "JW-15", "JW-18", "JW-21")
def test_a_hostile_assertion_breaks_nothing(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    good = assertion(made)
    for token in (
        assertion(made, header={"kid": "../../dev/null"}),
        assertion(made, header={"kid": ["rsa"]}),
        assertion(made, header={"crit": ["x"], "x": 1}),
        assertion(made, header={"b64": False}),
        good + "=",
        good + " ",
        good.replace(".", "..", 1),
        json.dumps({"payload": good.split(".")[1], "signatures": []}),
        "." * 16_000,
        "é" * 100,
        good[:-1],
    ):
        assert_unknown(ask(app, "/token", asserted(token)))
    assert ask(app, "/token", asserted(good)).status_code == 200
