"""A client gives a token back, and the whole grant ends with it (RFC 7009)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests import flows
from tests.flows import Browser

API = "https://api.photos.example/"
pytestmark = pytest.mark.spec("RFC 7009 §2")


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    return alice.obtain_tokens(scope="openid offline_access photos:read", resource=API)


def is_alive(app: Flask, tokens: dict[str, Any]) -> bool:
    return bool(flows.introspect(app, tokens["access_token"])["active"])


@pytest.mark.row("RT-15", "IN-08")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
def test_either_token_ends_the_grant_whatever_the_hint(
    app: Flask, tokens: dict[str, Any], which: str, hint: str | None
) -> None:
    values = {"token": tokens[which]} | ({"token_type_hint": hint} if hint else {})
    response = flows.post_as(app, "/revoke", **values)
    assert response.status_code == 200
    assert not is_alive(app, tokens)
    assert flows.refresh(app, tokens["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.row("IN-07")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_another_client_s_token_stays_active(app: Flask, tokens: dict[str, Any], which: str) -> None:
    assert flows.post_as(app, "/revoke", "other", token=tokens[which]).status_code == 200
    assert is_alive(app, tokens)


@pytest.mark.row("IN-08")
@pytest.mark.spec("RFC 7009 §2.2")
def test_unknown_and_revoked_tokens_are_fine_too(app: Flask, tokens: dict[str, Any]) -> None:
    for token in ("unknown", tokens["refresh_token"], tokens["refresh_token"], tokens["id_token"], "rt1.AAA"):
        assert flows.post_as(app, "/revoke", token=token).status_code == 200


@pytest.mark.row("CA-04")
def test_a_confidential_client_authenticates(app: Flask, machine: Any, tokens: dict[str, Any]) -> None:
    response = machine.post(
        "/revoke", data={"client_id": "web", "token": tokens["refresh_token"]}, base_url=flows.base_url(app)
    )
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")
    assert is_alive(app, tokens)


def test_a_public_client_revokes_its_own(app: Flask, machine: Any, alice: Browser) -> None:
    tokens = alice.obtain_tokens(client_id="spa", scope="openid offline_access photos:read", resource=API)
    response = machine.post(
        "/revoke", data={"client_id": "spa", "token": tokens["refresh_token"]}, base_url=flows.base_url(app)
    )
    assert response.status_code == 200
    assert not is_alive(app, tokens)


def test_a_token_that_a_client_got_for_itself_can_be_revoked(app: Flask) -> None:
    values = {"grant_type": "client_credentials", "resource": API}
    first, second = (flows.token_request(app, "machine", **values).json for _ in range(2))
    assert flows.post_as(app, "/revoke", "machine", token=first["access_token"]).status_code == 200
    assert not is_alive(app, first)
    assert is_alive(app, second)


def test_a_missing_token_is_an_invalid_request(app: Flask) -> None:
    response = flows.post_as(app, "/revoke")
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


@pytest.mark.row("RT-04")
def test_the_previous_generation_revokes_as_well(app: Flask, tokens: dict[str, Any]) -> None:
    """A client that lost the answer of a refresh holds only the token before it."""
    successor = flows.refresh(app, tokens["refresh_token"]).json
    flows.post_as(app, "/revoke", token=tokens["refresh_token"])
    assert not is_alive(app, successor)
