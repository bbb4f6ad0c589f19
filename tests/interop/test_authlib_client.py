"""Authlib's client."""

from __future__ import annotations

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from tests import flows

from .person import Person
from .site import CALLBACK, Site

METHODS = ("client_secret_basic", "client_secret_post", "none")


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """It insists on https otherwise, on this machine too."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def metadata_of(site: Site) -> dict[str, str]:
    return dict(requests.get(f"{site.url}/.well-known/openid-configuration", timeout=5).json())


def app_of(site: Site, method: str, scope: str = "openid profile offline_access") -> OAuth2Session:
    client_id = f"authlib-{flows.new_state()}"
    secret = site.register(client_id, token_endpoint_auth_method=method)
    return OAuth2Session(
        client_id,
        secret or None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=scope,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        **metadata_of(site),
    )


@pytest.mark.spec("RFC 6749 §4.1", "RFC 7636 §4")
@pytest.mark.parametrize("method", METHODS)
def test_an_app_signs_alice_in_refreshes_and_revokes(site: Site, alice: Person, method: str) -> None:
    app = app_of(site, method)
    metadata = metadata_of(site)
    link, state = app.create_authorization_url(
        metadata["authorization_endpoint"], nonce="a-nonce", code_verifier=flows.VERIFIER
    )
    token = app.fetch_token(
        metadata["token_endpoint"],
        authorization_response=alice.visit(link),
        state=state,
        code_verifier=flows.VERIFIER,
    )
    assert flows.claims_of(token["id_token"])["nonce"] == "a-nonce"
    assert app.get(metadata["userinfo_endpoint"]).json()["name"] == "Alice Liddell"
    refreshed = app.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert refreshed["refresh_token"] != token["refresh_token"]
    revoked = app.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"])
    assert revoked.status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"])
