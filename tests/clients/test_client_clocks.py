"""A client whose clock is wrong by a little is served, by a lot is not, and by how much is a setting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from oidc_server import database

from .asking import ENDPOINTS, ask, assert_unknown, asserted, assertion, make

pytestmark = [pytest.mark.row("FT-15"), pytest.mark.spec("RFC 7523 §3")]

METHODS = pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
HOUR = 3600


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> int:
    """The second at which the server's clock stands still."""
    second = int(time.time())
    monkeypatch.setattr(database, "clock", lambda: float(second))
    return second


def said_by_a_clock(at: int, ahead: int) -> dict[str, Any]:
    """The times that a client writes whose clock is so many seconds ahead, for an assertion of one minute."""
    return {"iat": at + ahead, "nbf": at + ahead, "exp": at + ahead + 60}


def expect(app: Flask, made: Any, claims: dict[str, Any], accepted: bool, path: str = "/token") -> None:
    response = ask(app, path, asserted(assertion(made, **claims)))
    if accepted:
        assert response.status_code == 200, response.text
    else:
        assert_unknown(response)


@METHODS
@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [
        *((0, True), (10, True), (11, False), (60, False), (HOUR, False)),
        *((-10, True), (-60, True), (-69, True), (-70, False), (-HOUR, False)),
    ],
)
def test_the_clock_of_a_client_may_differ_by_ten_seconds(
    app: Flask, at: int, method: str, ahead: int, accepted: bool
) -> None:
    expect(app, make(app, method), said_by_a_clock(at, ahead), accepted)


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
@pytest.mark.parametrize(("ahead", "accepted"), [(10, True), (60, False), (-70, False)])
def test_every_endpoint_that_asks_is_as_strict(app: Flask, at: int, path: str, ahead: int, accepted: bool) -> None:
    expect(app, make(app, "private_key_jwt"), said_by_a_clock(at, ahead), accepted, path)


@METHODS
@pytest.mark.parametrize(
    ("ahead", "accepted"), [(60, True), (61, False), (HOUR, False), (-60, True), (-120, False), (-HOUR, False)]
)
def test_an_operator_may_allow_for_more(
    make_app: Callable[..., Flask], at: int, method: str, ahead: int, accepted: bool
) -> None:
    app = make_app(clock_skew=60)
    expect(app, make(app, method), said_by_a_clock(at, ahead), accepted)


@METHODS
@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "accepted"), [(10, True), (11, False), (60, False), (HOUR, False)])
def test_each_time_by_itself_must_have_come(
    app: Flask, at: int, method: str, claim: str, ahead: int, accepted: bool
) -> None:
    expect(app, make(app, method), {"iat": None, claim: at + ahead, "exp": at + 200}, accepted)


@METHODS
@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [(300, True), (310, True), (311, False), (HOUR, False), (0, True), (-9, True), (-10, False), (-HOUR, False)],
)
def test_the_end_may_lie_five_minutes_ahead_and_must_not_have_passed(
    app: Flask, at: int, method: str, ahead: int, accepted: bool
) -> None:
    expect(app, make(app, method), {"iat": None, "exp": at + ahead}, accepted)


def test_an_old_iat_does_not_matter_while_the_end_is_near(app: Flask, at: int) -> None:
    expect(app, make(app, "private_key_jwt"), {"iat": at - HOUR, "exp": at + 60}, True)
