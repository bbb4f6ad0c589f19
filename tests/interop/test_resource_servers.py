"""Resource servers that others wrote: oauth4webapi's validateJwtAccessToken, and PyJWT with its PyJWKClient."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import jwt
import pytest
import requests

from tests import flows

from .node_program import CallFailed, NodeProgram
from .person import Person
from .site import API, CALLBACK, Site

OTHER_API = "https://api.letters.example/"
BRIEF_API = "https://api.brief.example/"
REQUIRED = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")
SECRETS: dict[str, str] = {}


@pytest.fixture(scope="module")
def served(site: Site) -> Site:
    """The server with further APIs and a machine that may call all of them."""
    site.protect(OTHER_API, {"letters:read": "Read your letters"})
    site.protect(BRIEF_API, {"brief:read": "See what passes"}, access_token_lifetime=1)
    scope = "photos:read letters:read brief:read"
    SECRETS["machine"] = site.register_machine("machine", scope=scope)
    return site


@pytest.fixture(scope="module")
def oauth4webapi(served: Site, node_program: Callable[[str], NodeProgram]) -> NodeProgram:
    program = node_program("resource_server.mjs")
    assert program.call("discover", url=served.url, algorithm="oauth2")["issuer"] == served.url
    return program


@pytest.fixture
def pyjwt(served: Site) -> jwt.PyJWKClient:
    metadata = requests.get(f"{served.url}/.well-known/oauth-authorization-server", timeout=5).json()
    return jwt.PyJWKClient(metadata["jwks_uri"])


def machine_token(site: Site, scope: str = "photos:read", resource: str = API) -> str:
    answer = requests.post(
        f"{site.url}/token",
        data={"grant_type": "client_credentials", "scope": scope, "resource": resource},
        auth=("machine", SECRETS["machine"]),
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def tokens_of(site: Site, alice: Person, client_id: str) -> dict[str, Any]:
    """What an app has after Alice signed in: an access token for the API and an ID token for itself."""
    secret = site.register(client_id)
    request = flows.request_of(client_id=client_id, redirect_uri=CALLBACK, scope="openid photos:read", resource=API)
    called_back = alice.visit(requests.Request("GET", f"{site.url}/authorize", params=request).prepare().url or "")
    answer = requests.post(
        f"{site.url}/token",
        data={
            "grant_type": "authorization_code",
            "code": called_back.partition("code=")[2].partition("&")[0],
            "redirect_uri": CALLBACK,
            "code_verifier": flows.VERIFIER,
        },
        auth=(quote(client_id, safe=""), secret),  # RFC 6749 §2.3.1
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def verify(
    keys: jwt.PyJWKClient, token: str, site: Site, audience: str = API, require: Sequence[str] = REQUIRED
) -> dict[str, Any]:
    """As PyJWT's documentation has it, with the algorithms and the claims of RFC 9068 §4 named."""
    key = keys.get_signing_key_from_jwt(token)
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, issuer=site.url, options={"require": list(require)}
    )
    return claims


@pytest.mark.spec("RFC 9068 §4")
@pytest.mark.parametrize("algorithm", ["oauth2", "oidc"])
def test_oauth4webapi_accepts_the_token_of_an_app(
    served: Site, oauth4webapi: NodeProgram, alice: Person, algorithm: str
) -> None:
    oauth4webapi.call("discover", url=served.url, algorithm=algorithm)
    token = tokens_of(served, alice, f"app-of-{algorithm}")["access_token"]
    claims = oauth4webapi.call("validate", token=token, audience=API)
    assert claims["sub"] == served.alice
    assert claims["client_id"] == f"app-of-{algorithm}"
    assert claims["scope"] == "photos:read"


@pytest.mark.spec("RFC 9068 §4")
def test_oauth4webapi_refuses_a_token_for_another_api(served: Site, oauth4webapi: NodeProgram) -> None:
    token = machine_token(served, "letters:read", OTHER_API)
    assert oauth4webapi.call("validate", token=token, audience=OTHER_API)["sub"] == "machine"
    with pytest.raises(CallFailed, match='"aud"'):
        oauth4webapi.call("validate", token=token, audience=API)


@pytest.mark.spec("RFC 9068 §2.1")
def test_oauth4webapi_refuses_an_id_token(served: Site, oauth4webapi: NodeProgram, alice: Person) -> None:
    """Even an API that calls itself what an app is called must not take an ID token for an access token."""
    id_token = tokens_of(served, alice, "https://named.example/")["id_token"]
    assert flows.claims_of(id_token)["aud"] == "https://named.example/"
    with pytest.raises(CallFailed, match='"typ"'):
        oauth4webapi.call("validate", token=id_token, audience="https://named.example/")


@pytest.mark.spec("RFC 9068 §4")
def test_oauth4webapi_refuses_a_token_that_has_expired(served: Site, oauth4webapi: NodeProgram) -> None:
    token = machine_token(served)
    assert oauth4webapi.call("validate", token=token, audience=API, clock=890)["sub"] == "machine"
    with pytest.raises(CallFailed, match='"exp"'):
        oauth4webapi.call("validate", token=token, audience=API, clock=900 + 31)


@pytest.mark.spec("RFC 9068 §4")
def test_pyjwt_accepts_the_token_of_an_app(served: Site, pyjwt: jwt.PyJWKClient, alice: Person) -> None:
    claims = verify(pyjwt, tokens_of(served, alice, "app-of-pyjwt")["access_token"], served)
    assert claims["sub"] == served.alice
    assert claims["scope"] == "photos:read"


@pytest.mark.spec("RFC 9068 §4")
def test_pyjwt_refuses_a_token_for_another_api(served: Site, pyjwt: jwt.PyJWKClient) -> None:
    token = machine_token(served, "letters:read", OTHER_API)
    assert verify(pyjwt, token, served, OTHER_API)["sub"] == "machine"
    with pytest.raises(jwt.InvalidAudienceError):
        verify(pyjwt, token, served)


def test_pyjwt_refuses_an_id_token(served: Site, pyjwt: jwt.PyJWKClient, alice: Person) -> None:
    """PyJWT looks at no `typ`: an ID token is for the app alone, and has not the claims of an access token."""
    id_token = tokens_of(served, alice, "app-of-an-id-token")["id_token"]
    with pytest.raises(jwt.InvalidAudienceError):
        verify(pyjwt, id_token, served, require=())
    with pytest.raises(jwt.MissingRequiredClaimError):
        verify(pyjwt, id_token, served, "app-of-an-id-token")


def test_pyjwt_refuses_a_token_that_has_expired(served: Site, pyjwt: jwt.PyJWKClient) -> None:
    token = machine_token(served, "brief:read", BRIEF_API)
    expires_at = flows.claims_of(token)["exp"]
    time.sleep(max(0.0, expires_at - time.time()) + 0.05)
    with pytest.raises(jwt.ExpiredSignatureError):
        verify(pyjwt, token, served, BRIEF_API)


def test_pyjwt_refuses_a_token_that_somebody_changed(served: Site, pyjwt: jwt.PyJWKClient) -> None:
    header, _, signature = machine_token(served).split(".")
    _, claims, _ = machine_token(served, "letters:read", OTHER_API).split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verify(pyjwt, f"{header}.{claims}.{signature}", served, OTHER_API)
