"""Nothing switches rotation off: a public client has no other protection for its refresh tokens (RFC 9700 §2.2.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from flask import Flask

from oidc_server.clients import store as clients
from oidc_server.settings import Settings, SettingsError, load
from tests import flows
from tests.expectations import expect_revoked, expect_token_error
from tests.flows import Browser

pytestmark = [pytest.mark.row("RT-11"), pytest.mark.spec("RFC 9700 §2.2.2", "RFC 9700 §4.14.2")]

SECRET = {"secret_key": "0123456789abcdef" * 4}


@pytest.mark.parametrize(
    "name", ["refresh_token_rotation", "rotate_refresh_tokens", "reuse_refresh_tokens", "include_new_refresh_token"]
)
def test_a_setting_that_would_switch_it_off_is_unknown_and_refuses_the_start(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({}, **SECRET, **{name: False})
    with pytest.raises(SettingsError, match=name.upper()):
        load({f"OIDC_{name.upper()}": "false"})


def test_of_all_settings_four_are_about_refresh_tokens_and_each_is_a_number_of_seconds() -> None:
    about = {one.name: type(one.default) for one in fields(Settings) if "refresh" in one.name or "rotat" in one.name}
    assert about == {
        "refresh_token_idle_lifetime": int,
        "refresh_token_absolute_lifetime": int,
        "refresh_token_grace": int,
        "key_rotation_days": float,
    }


@pytest.mark.parametrize("seconds", [61, 3600, 90 * 86400])
def test_a_grace_so_long_that_nothing_would_be_noticed_refuses_the_start(seconds: int) -> None:
    with pytest.raises(SettingsError, match="OIDC_REFRESH_TOKEN_GRACE"):
        load({}, **SECRET, refresh_token_grace=seconds)
    assert load({}, **SECRET, refresh_token_grace=60).refresh_token_grace == 60


@pytest.mark.parametrize("grace", [0, 10, 60])
def test_a_public_client_gets_a_new_token_each_time_whatever_the_settings(
    make_app: Callable[..., Flask], grace: int
) -> None:
    app = make_app(refresh_token_grace=grace)
    alice = Browser(app)
    tokens = alice.obtain_tokens(client_id="spa", scope="openid offline_access")
    seen = [tokens["refresh_token"]]
    for _ in range(3):
        answer = flows.refresh(app, seen[-1], client_id="spa")
        assert answer.status_code == 200
        seen.append(answer.json["refresh_token"])
    assert len(set(seen)) == 4
    expect_token_error(flows.refresh(app, seen[0], client_id="spa"))
    expect_token_error(flows.refresh(app, seen[-1], client_id="spa"))


@pytest.mark.parametrize("name", ["refresh_token_rotation", "rotate_refresh_tokens", "reuse_refresh_token"])
def test_no_metadata_of_a_client_switch_it_off(app: Flask, name: str) -> None:
    metadata: dict[str, Any] = {
        "redirect_uris": [flows.REDIRECT_URIS["web"]],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid offline_access",
        name: False,
    }
    with app.app_context():
        made = clients.create(metadata, client_id=f"public-{name}")
        assert name not in made.client.metadata_extra
    tokens = Browser(app).obtain_tokens(client_id=f"public-{name}", scope="openid offline_access")
    first = flows.refresh(app, tokens["refresh_token"], client_id=f"public-{name}").json
    second = flows.refresh(app, first["refresh_token"], client_id=f"public-{name}").json
    expect_token_error(flows.refresh(app, tokens["refresh_token"], client_id=f"public-{name}"))
    expect_revoked(app, second, f"public-{name}")
