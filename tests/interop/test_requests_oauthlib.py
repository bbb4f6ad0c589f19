"""requests-oauthlib, which takes a scope other than the one it asked for as an error."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests

from tests import flows

from .person import Person
from .site import API, CALLBACK, Site

REASON = "the package requests-oauthlib is missing; install requirements-dev.txt"
requests_oauthlib = pytest.importorskip("requests_oauthlib", reason=REASON)
oauth2 = pytest.importorskip("oauthlib.oauth2", reason=REASON)


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """It insists on https otherwise, on this machine too."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.delenv("OAUTHLIB_RELAX_TOKEN_SCOPE", raising=False)


def app_of(site: Site, scope: str) -> tuple[Any, str]:
    client_id = f"oauthlib-{flows.new_state()}"
    secret = site.register(client_id)
    session = requests_oauthlib.OAuth2Session(client_id, redirect_uri=CALLBACK, scope=scope.split(), pkce="S256")
    return session, secret


@pytest.mark.spec("RFC 6749 §3.3")
@pytest.mark.parametrize("scope", ["openid", "openid profile email", "profile openid offline_access"])
def test_an_app_gets_the_scope_it_asked_for(site: Site, alice: Person, scope: str) -> None:
    app, secret = app_of(site, scope)
    link, _ = app.authorization_url(f"{site.url}/authorize")
    token = app.fetch_token(f"{site.url}/token", authorization_response=alice.visit(link), client_secret=secret)
    assert set(token["scope"]) == set(scope.split())
    assert app.get(f"{site.url}/userinfo").json()["sub"] == site.alice


def test_an_app_refreshes(site: Site, alice: Person) -> None:
    app, secret = app_of(site, "openid offline_access")
    link, _ = app.authorization_url(f"{site.url}/authorize")
    first = app.fetch_token(f"{site.url}/token", authorization_response=alice.visit(link), client_secret=secret)
    auth = requests.auth.HTTPBasicAuth(app.client_id, secret)
    second = app.refresh_token(f"{site.url}/token", auth=auth)
    assert second["refresh_token"] != first["refresh_token"]
    assert app.get(f"{site.url}/userinfo").json()["sub"] == site.alice


def test_an_app_gets_the_scope_of_the_api_it_asked_for(site: Site, alice: Person) -> None:
    app, secret = app_of(site, "photos:read photos:write")
    link, _ = app.authorization_url(f"{site.url}/authorize", resource=API)
    token = app.fetch_token(
        f"{site.url}/token", authorization_response=alice.visit(link), client_secret=secret, resource=API
    )
    claims = jwt.decode(
        token["access_token"],
        jwt.PyJWKClient(f"{site.url}/jwks.json").get_signing_key_from_jwt(token["access_token"]),
        algorithms=["RS256"],
        audience=API,
        issuer=site.url,
    )
    assert claims["scope"] == "photos:read photos:write"


@pytest.mark.spec("RFC 6749 §5.1", "RFC 9068 §3")
def test_oauthlib_tells_an_app_that_its_token_for_the_api_says_nothing_of_the_person(site: Site, alice: Person) -> None:
    """The scope of the answer is that of its access token, which is for the API alone; oauthlib calls that a change.

    Such an app asks for the API's scopes in a request of their own, or sets OAUTHLIB_RELAX_TOKEN_SCOPE.
    """
    app, secret = app_of(site, "openid photos:read")
    link, _ = app.authorization_url(f"{site.url}/authorize", resource=API)
    with pytest.raises(Warning, match=r'^Scope has changed from ".*openid.*" to "photos:read"'):
        app.fetch_token(f"{site.url}/token", authorization_response=alice.visit(link), client_secret=secret)


@pytest.mark.spec("RFC 6749 §4.1.2")
def test_an_app_redeems_a_code_once(site: Site, alice: Person) -> None:
    app, secret = app_of(site, "openid")
    link, _ = app.authorization_url(f"{site.url}/authorize")
    called_back = alice.visit(link)
    app.fetch_token(f"{site.url}/token", authorization_response=called_back, client_secret=secret)
    assert dict(parse_qsl(urlsplit(called_back).query))["iss"] == site.url
    with pytest.raises(oauth2.InvalidGrantError):
        app.fetch_token(f"{site.url}/token", authorization_response=called_back, client_secret=secret)
    assert app.get(f"{site.url}/userinfo").status_code == 401, "the replay ended what the code had given"
