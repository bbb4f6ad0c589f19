"""GET /jwks.json: what everybody may know of the keys, cached for less time than a key waits (KY-08, JW-24)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.signing import Keyring

from .. import flows


def get(app: Flask, path: str = "/jwks.json", *, method: str = "GET", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return flows.machine_of(app).open(path, method=method, headers=named, base_url=flows.base_url(app))


def kids(app: Flask) -> list[str]:
    return [key["kid"] for key in get(app).get_json()["keys"]]


def keyring_of(app: Flask) -> Keyring:
    keyring: Keyring = app.extensions["oidc_server"].keyring
    return keyring


@pytest.mark.row("KY-08", "JW-24")
def test_the_key_set_has_public_members_only_each_kid_once_and_a_key_that_signs(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(signing_algorithms=("RS256", "PS256", "ES256", "EdDSA"))
    keyring_of(app).rotate()
    keys = get(app).get_json()["keys"]
    members = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}
    for key in keys:
        assert set(key) == {"kty", "kid", "use", "alg"} | members[key["kty"]]
        assert key["use"] == "sig"
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", key[name]) for name in members[key["kty"]] - {"crv"})
    assert len({key["kid"] for key in keys}) == len(keys)
    assert {key["alg"] for key in keys} == {"RS256", "PS256", "ES256", "EdDSA"}


@pytest.mark.row("KY-08")
def test_the_key_set_may_be_cached_by_everybody_for_max_age(make_app: Callable[..., Flask]) -> None:
    response = get(make_app(jwks_max_age=120))
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert {part.strip() for part in response.headers["Cache-Control"].split(",")} == {"public", "max-age=120"}
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.row("KY-08")
def test_an_unchanged_key_set_is_not_sent_again(app: Flask) -> None:
    first = get(app)
    etag = first.headers["ETag"]
    assert re.fullmatch(r'"[A-Za-z0-9_-]{43}"', etag)
    for condition in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        again = get(app, If_None_Match=condition)
        assert again.status_code == 304
        assert again.data == b""
        assert again.headers["ETag"] == etag
        assert "max-age" in again.headers["Cache-Control"]
    assert get(app, If_None_Match='"other"').status_code == 200
    keyring_of(app).rotate()
    changed = get(app, If_None_Match=etag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.row("KY-02", "KY-08")
def test_a_key_refused_through_one_worker_is_gone_from_the_next_answer_of_another(
    make_app: Callable[..., Flask],
) -> None:
    one, other = make_app(), make_app()
    stolen = kids(other)[0]
    keyring_of(one).rotate("emergency")
    assert stolen not in kids(other)


def test_head_and_unknown_methods_are_answered_properly(app: Flask) -> None:
    head = get(app, method="HEAD")
    assert head.status_code == 200
    assert head.data == b""
    assert int(head.headers["Content-Length"]) > 500
    assert get(app, method="POST").status_code == 405


def test_discovery_tells_where_the_keys_are_and_which_algorithms_sign(make_app: Callable[..., Flask]) -> None:
    app = make_app(signing_algorithms=("RS256", "ES256"))
    metadata = get(app, "/.well-known/openid-configuration").get_json()
    assert metadata["jwks_uri"] == metadata["issuer"] + "/jwks.json"
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
