"""Rotation with a single successor: an honest client is never signed out, a thief always ends the family (RFC 9700 §4.14.2)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.database import db
from oidc_server.tokens.models import Family
from tests import flows
from tests.flows import Clock

pytestmark = pytest.mark.spec("RFC 6749 §6", "RFC 9700 §4.14.2")


def live_families(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Family).where(Family.revoked_at.is_(None))) or 0


def is_dead(app: Flask, tokens: dict[str, Any]) -> bool:
    return not flows.introspect(app, tokens["access_token"])["active"] and live_families(app) == 0


def test_each_refresh_gives_a_new_token(app: Flask, tokens: dict[str, Any]) -> None:
    first = flows.refresh(app, tokens["refresh_token"]).json
    second = flows.refresh(app, first["refresh_token"]).json
    assert len({tokens["refresh_token"], first["refresh_token"], second["refresh_token"]}) == 3
    assert len({tokens["access_token"], first["access_token"], second["access_token"]}) == 3


@pytest.mark.row("RT-14", "RT-02")
def test_a_retry_within_the_grace_gets_the_same_pair(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    first = flows.refresh(app, tokens["refresh_token"])
    clock.advance(9)
    again = flows.refresh(app, tokens["refresh_token"])
    assert again.status_code == 200
    assert again.json == first.json
    assert live_families(app) == 1


@pytest.mark.row("RT-01")
def test_reuse_after_the_grace_ends_the_family(app: Flask, tokens: dict[str, Any], clock: Clock) -> None:
    successor = flows.refresh(app, tokens["refresh_token"]).json
    clock.advance(10.1)
    response = flows.refresh(app, tokens["refresh_token"])
    assert (response.status_code, response.json["error"]) == (400, "invalid_grant")
    assert is_dead(app, successor)
    assert flows.refresh(app, successor["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.row("RT-03")
def test_an_older_generation_ends_the_family_even_within_the_grace(app: Flask, tokens: dict[str, Any]) -> None:
    second = flows.refresh(app, tokens["refresh_token"]).json
    third = flows.refresh(app, second["refresh_token"]).json
    assert flows.refresh(app, tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert is_dead(app, third)


@pytest.mark.row("RT-03")
def test_once_the_successor_was_used_the_grace_is_over(app: Flask, tokens: dict[str, Any]) -> None:
    second = flows.refresh(app, tokens["refresh_token"]).json
    flows.refresh(app, second["refresh_token"])
    assert flows.refresh(app, second["refresh_token"]).status_code == 200, "the one just rotated is within the grace"
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 400


@pytest.mark.row("RT-04")
def test_a_revoked_token_stays_dead_within_the_grace(app: Flask, tokens: dict[str, Any]) -> None:
    successor = flows.refresh(app, tokens["refresh_token"]).json
    flows.post_as(app, "/revoke", token=tokens["refresh_token"])
    for dead in (tokens, successor):
        assert flows.refresh(app, dead["refresh_token"]).json["error"] == "invalid_grant"


def test_a_retry_that_asks_for_another_resource_gets_its_own_access_token_and_the_same_successor(
    app: Flask, tokens: dict[str, Any]
) -> None:
    first = flows.refresh(app, tokens["refresh_token"]).json
    other = flows.refresh(app, tokens["refresh_token"], resource="https://id.example.test/userinfo").json
    assert other["refresh_token"] == first["refresh_token"]
    assert flows.claims_of(other["access_token"])["aud"] == "https://id.example.test/userinfo"
    assert live_families(app) == 1


def test_without_grace_every_reuse_ends_the_family(make_app: Any) -> None:
    app = make_app(refresh_token_grace=0)
    browser = flows.Browser(app)
    browser.sign_in()
    tokens = browser.obtain_tokens(scope="openid offline_access")
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 200
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
    assert live_families(app) == 0


@pytest.mark.row("RT-17")
def test_a_long_chain_stays_one_row_and_its_first_token_still_gives_the_thief_away(
    app: Flask, tokens: dict[str, Any]
) -> None:
    current = tokens
    for _ in range(100):
        current = flows.refresh(app, current["refresh_token"]).json
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Family)) == 1
        assert db.session.scalars(sa.select(Family)).one().refresh_generation == 100
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
    assert is_dead(app, current)


def test_a_made_up_token_that_names_a_real_family_does_not_end_it(app: Flask, tokens: dict[str, Any]) -> None:
    token = tokens["refresh_token"]
    for position in (30, 60, len(token) - 2):
        forged = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert flows.refresh(app, forged).json["error"] == "invalid_grant"
    assert live_families(app) == 1
    assert flows.refresh(app, token).status_code == 200


@pytest.mark.row("LS-03", "RT-14")
def test_the_database_alone_does_not_reveal_the_sealed_successor(app: Flask, tokens: dict[str, Any]) -> None:
    successor = flows.refresh(app, tokens["refresh_token"]).json
    with app.app_context():
        stored = repr([{**vars(row)} for row in db.session.scalars(sa.select(Family))])
    for secret in (tokens["refresh_token"], successor["refresh_token"], successor["access_token"]):
        assert secret not in stored
        assert secret.encode() not in stored.encode()


def test_the_secret_key_can_change_with_a_fallback(app: Flask, tokens: dict[str, Any], make_app: Any) -> None:
    old = app.extensions["oidc_server"].settings.secret_key
    renewed = make_app(secret_key="another-secret-key-with-enough-characters", secret_key_fallbacks=(old,))
    successor = flows.refresh(renewed, tokens["refresh_token"])
    assert successor.status_code == 200
    flows.refresh(renewed, successor.json["refresh_token"])
    assert flows.refresh(renewed, tokens["refresh_token"]).status_code == 400
    assert live_families(renewed) == 0, "an old token made under the earlier key is still known as ours"
