"""Authlib's traps 4 and 5 (docs/authlib.md): refresh tokens without families, and ID tokens whose auth_time moves."""

from __future__ import annotations

import pytest
from flask import Flask

from tests import flows
from tests.expectations import expect_revoked, expect_token_error
from tests.flows import Browser, Clock, claims_of

from .authlib_alone import OpenidOnRefresh, alone

ROTATING = {"INCLUDE_NEW_REFRESH_TOKEN": True}


@pytest.mark.trap(4)
@pytest.mark.parametrize("client_id", ["web", "spa"])
def test_every_refresh_rotates(app: Flask, alice: Browser, client_id: str) -> None:
    tokens = alice.obtain_tokens(client_id=client_id, scope="openid offline_access")
    successor = flows.refresh(app, tokens["refresh_token"], client_id).json["refresh_token"]
    assert successor != tokens["refresh_token"]
    assert flows.refresh(app, successor, client_id).status_code == 200


@pytest.mark.trap(4)
def test_an_old_refresh_token_ends_the_family(app: Flask, alice: Browser, clock: Clock) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    rotated = flows.refresh(app, tokens["refresh_token"]).json
    clock.advance(11)
    expect_token_error(flows.refresh(app, tokens["refresh_token"]))
    expect_revoked(app, rotated)


@pytest.mark.trap(4)
@pytest.mark.spec("RFC 6749 §6")
def test_a_narrowed_refresh_leaves_the_refresh_token_as_wide_as_it_was(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="openid profile email offline_access")
    narrowed = flows.refresh(app, tokens["refresh_token"], scope="openid").json
    assert narrowed["scope"] == "openid"
    wide = flows.refresh(app, narrowed["refresh_token"]).json
    assert set(wide["scope"].split()) >= {"openid", "profile", "email"}


@pytest.mark.trap(4)
def test_upstream_still_rotates_only_on_request() -> None:
    server = alone()
    tokens = server.token(code=server.code()).json
    refreshed = server.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed.status_code == 200
    assert "refresh_token" not in refreshed.json


@pytest.mark.trap(4)
def test_upstream_still_keeps_the_family_of_a_reused_token_and_narrows_it_for_good() -> None:
    server = alone(grant=ROTATING)
    first = server.token(code=server.code()).json["refresh_token"]
    second = server.token(grant_type="refresh_token", refresh_token=first, scope="openid").json["refresh_token"]
    reused = server.token(grant_type="refresh_token", refresh_token=first)
    assert (reused.status_code, reused.json["error"]) == (400, "invalid_grant")
    assert server.token(grant_type="refresh_token", refresh_token=second, scope="openid profile").status_code == 400
    assert server.token(grant_type="refresh_token", refresh_token=second).status_code == 200


@pytest.mark.trap(4)
def test_upstream_still_saves_the_new_token_before_it_revokes_the_old() -> None:
    order: list[str] = []
    server = alone(grant=ROTATING | {"revoke_old_credential": lambda grant, token: order.append("revoked")})
    tokens = server.token(code=server.code()).json
    server.server._save_token = lambda token, request: order.append("saved")
    server.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert order == ["saved", "revoked"]


@pytest.mark.trap(5)
@pytest.mark.spec("OIDC Core §12.2")
def test_a_refresh_is_no_fresh_sign_in(app: Flask, alice: Browser, clock: Clock) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    first = claims_of(tokens["id_token"])
    clock.advance(3600)
    again = claims_of(flows.refresh(app, tokens["refresh_token"]).json["id_token"])
    assert again["iat"] >= first["iat"] + 3600
    assert {name: again[name] for name in ("auth_time", "acr", "amr", "sub", "aud", "iss", "sid")} == {
        name: first[name] for name in ("auth_time", "acr", "amr", "sub", "aud", "iss", "sid")
    }


@pytest.mark.trap(5)
def test_the_password_grant_says_how_and_when_the_person_proved_who_they_are(app: Flask, clock: Clock) -> None:
    asked = {"grant_type": "password", "username": "alice", "password": "correct horse battery staple"}
    at = int(clock())
    tokens = flows.token_request(app, "machine", scope="openid", **asked).json
    claims = claims_of(tokens["id_token"])
    assert at <= claims["auth_time"] <= at + 5
    assert (claims["acr"], claims["amr"]) == ("1", ["pwd"])
    clock.advance(60)
    later = claims_of(flows.refresh(app, tokens["refresh_token"], "machine").json["id_token"])
    assert later["auth_time"] == claims["auth_time"]


@pytest.mark.trap(5)
def test_upstream_still_makes_a_refresh_look_like_a_sign_in() -> None:
    server = alone(token_extensions=[OpenidOnRefresh()])
    tokens = server.token(code=server.code(nonce="n")).json
    again = server.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json
    first, later = claims_of(tokens["id_token"]), claims_of(again["id_token"])
    assert later["auth_time"] >= first["auth_time"] + 60, "the sign-in was a minute ago"
    assert "nonce" in first and "nonce" not in later
