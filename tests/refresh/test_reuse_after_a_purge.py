"""Cleaning up forgets nothing that could still be misused: an old token or code is recognised for as long as its family can live."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import audit, upkeep
from oidc_server.database import db
from oidc_server.tokens.models import Family
from tests import flows
from tests.expectations import audited, expect_revoked, expect_token_error
from tests.flows import Browser, Clock

pytestmark = pytest.mark.row("FT-19")

OFFLINE = "openid offline_access"


def purge(app: Flask) -> None:
    with app.app_context():
        upkeep.purge()


@pytest.mark.parametrize("days", [0, 1, 13])
def test_after_a_purge_an_old_refresh_token_still_ends_the_family(
    app: Flask, alice: Browser, clock: Clock, caplog: pytest.LogCaptureFixture, days: int
) -> None:
    tokens = alice.obtain_tokens(scope=OFFLINE)
    successor: Any = flows.refresh(app, tokens["refresh_token"]).json
    clock.advance(11 + days * 86400)
    purge(app)
    expect_token_error(flows.refresh(app, tokens["refresh_token"]))
    assert len(audited(caplog, audit.REFRESH_REUSED)) == 1
    expect_revoked(app, successor)


def test_reuse_is_noticed_until_the_last_day_of_a_family(app: Flask, alice: Browser, clock: Clock) -> None:
    tokens: Any = alice.obtain_tokens(scope=OFFLINE)
    current = tokens
    for _ in range(8):
        clock.advance(11 * 86400)
        purge(app)
        current = flows.refresh(app, current["refresh_token"]).json
        assert "refresh_token" in current, "88 of 90 days"
    expect_token_error(flows.refresh(app, tokens["refresh_token"]))
    expect_revoked(app, current)


@pytest.mark.parametrize("scope", ["openid", OFFLINE])
def test_after_a_purge_a_spent_code_is_still_a_replay(
    app: Flask, alice: Browser, clock: Clock, caplog: pytest.LogCaptureFixture, scope: str
) -> None:
    code = alice.obtain_code(scope=scope)
    tokens = flows.redeem(app, code).json
    clock.advance(61)
    purge(app)
    expect_token_error(flows.redeem(app, code))
    assert len(audited(caplog, audit.CODE_REPLAYED)) == 1
    expect_revoked(app, tokens)


def test_a_family_that_ended_is_remembered_as_long_as_its_tokens_could_live(
    app: Flask, alice: Browser, clock: Clock
) -> None:
    tokens = alice.obtain_tokens(scope=OFFLINE)
    flows.post_as(app, "/revoke", token=tokens["refresh_token"])
    for days in (1, 30, 58, 2):
        clock.advance(days * 86400)
        purge(app)
        expect_revoked(app, tokens)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Family)) == 0, "and no longer"
