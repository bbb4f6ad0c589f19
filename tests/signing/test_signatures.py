"""What the keyring signs is what others verify."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from oidc_server import settings_checks
from oidc_server.settings import SettingsError
from oidc_server.signing import Keyring, KeysUnusable, UnsupportedAlgorithm
from oidc_server.signing.algorithms import ALGORITHMS, thumbprint

CLAIMS = {
    "iss": "https://id.example",
    "sub": "zoë",
    "aud": ["a", "b"],
    "exp": 4_000_000_000,
    "nested": {"a": [1, None]},
}


def header_of(token: str) -> dict[str, Any]:
    segment = token.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return found


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_joserfc_and_pyjwt_verify_every_algorithm_by_the_published_keys(
    make_keyring: Callable[..., Keyring], alg: str
) -> None:
    keyring = make_keyring(signing_algorithms=(alg,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        token = keyring.sign(CLAIMS, typ="at+jwt", algorithm=alg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoded = jwt.decode(token, KeySet.import_key_set(keyring.public()), algorithms=[alg])  # type: ignore[arg-type]
    assert decoded.claims == CLAIMS
    signing_key = pyjwt.PyJWKSet.from_dict(keyring.public())[header_of(token)["kid"]]
    assert pyjwt.decode(token, signing_key, algorithms=[alg], audience="a") == CLAIMS


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_many_signatures_verify_whatever_their_bytes(make_keyring: Callable[..., Keyring], alg: str) -> None:
    # An ECDSA value may begin with zero bytes, which the fixed length must keep.
    keyring = make_keyring(signing_algorithms=(alg,))
    keys = pyjwt.PyJWKSet.from_dict(keyring.public())
    for number in range(300 if alg == "ES256" else 5):
        token = keyring.sign({"number": number}, typ="JWT")
        assert pyjwt.decode(token, keys[header_of(token)["kid"]], algorithms=[alg]) == {"number": number}


def test_the_header_names_algorithm_key_and_type_and_nothing_else(keyring: Keyring) -> None:
    for typ in ("at+jwt", "JWT", "at+jwt"):
        header = header_of(keyring.sign(CLAIMS, typ=typ))
        assert header == {"alg": "RS256", "kid": keyring.public()["keys"][0]["kid"], "typ": typ}


def test_each_client_may_choose_among_the_configured_algorithms_only(make_keyring: Callable[..., Keyring]) -> None:
    keyring = make_keyring(signing_algorithms=("ES256", "EdDSA"))
    assert header_of(keyring.sign({}, typ="JWT"))["alg"] == "ES256"
    assert header_of(keyring.sign({}, typ="JWT", algorithm="EdDSA"))["alg"] == "EdDSA"
    for other in ("RS256", "none", "HS256", ""):
        with pytest.raises(UnsupportedAlgorithm):
            keyring.sign({}, typ="JWT", algorithm=other)


@pytest.mark.spec("RFC 7638 §3.1")
def test_the_kid_is_the_thumbprint_of_the_key(make_keyring: Callable[..., Keyring]) -> None:
    # The example of the specification.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok"
        "njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6"
        "qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa"
        "pJzKnqDKgw"
    )
    assert thumbprint("RS256", {"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    for key in make_keyring(signing_algorithms=tuple(ALGORITHMS)).public()["keys"]:
        required = {name: key[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in key}
        text = json.dumps(required, separators=(",", ":"), sort_keys=True)
        digest = hashlib.sha256(text.encode()).digest()
        assert key["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_two_rsa_algorithms_never_share_a_key(make_keyring: Callable[..., Keyring]) -> None:
    published = make_keyring(signing_algorithms=("RS256", "PS256")).public()["keys"]
    assert [key["alg"] for key in published] == ["RS256", "PS256", "RS256", "PS256"]
    assert len({key["n"] for key in published}) == 4


def test_claims_that_json_cannot_say_are_refused(keyring: Keyring) -> None:
    with pytest.raises(ValueError, match="JSON"):
        keyring.sign({"exp": float("nan")}, typ="JWT")


def test_the_size_of_new_rsa_keys_is_a_setting(make_keyring: Callable[..., Keyring]) -> None:
    token = make_keyring(rsa_key_bits=3072).sign({}, typ="JWT")
    assert len(token.split(".")[2]) == 3072 // 8 * 4 // 3


def test_the_settings_know_exactly_the_algorithms_that_can_sign() -> None:
    assert set(settings_checks.ALGORITHMS) == set(ALGORITHMS)


def test_unknown_algorithms_and_short_keys_do_not_start(make_keyring: Callable[..., Keyring]) -> None:
    for wrong in ({"signing_algorithms": ("HS256",)}, {"signing_algorithms": ()}, {"rsa_key_bits": 1024}):
        with pytest.raises((KeysUnusable, SettingsError), match=r"OIDC_"):
            make_keyring(**wrong)
