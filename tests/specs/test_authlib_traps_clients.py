"""Authlib's traps 7, 9 to 11, 20 and 21 (docs/authlib.md): what clients may register, and how they prove who they are."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.integrations.sqla_oauth2 import OAuth2ClientMixin
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7591 import ClientMetadataClaims, ClientRegistrationEndpoint
from flask import Flask

from oidc_server.clients import store
from oidc_server.clients.models import Client
from tests import flows
from tests.clients.asking import ask, assert_unknown, asserted, assertion, make
from tests.clients.conftest import RSA
from tests.conftest import ISSUER
from tests.expectations import expect_invalid_client, expect_token_error, no_effect
from tests.flows import Browser, basic, machine_of

from .authlib_alone import URL, alone
from .authlib_alone import Client as TheirClient

TOKEN = {"grant_type": "client_credentials", "scope": "photos:read", "resource": "https://api.photos.example/"}
DANGEROUS = ["javascript://x/%0aalert(1)", "http://photos.example/cb", "data:text/html,x"]


@pytest.mark.trap(7)
@pytest.mark.parametrize("uri", DANGEROUS)
def test_a_dangerous_redirect_uri_is_not_registered(context: None, uri: str) -> None:
    with pytest.raises(store.InvalidMetadata, match="URI"):
        store.create({"redirect_uris": [uri]})


@pytest.mark.trap(7)
@pytest.mark.spec("RFC 8252 §7.1")
def test_the_scheme_of_a_native_app_is_registered_and_answered(app: Flask, alice: Browser) -> None:
    uri = "com.example.app:/cb"
    with app.app_context():
        flows.register("native", token_endpoint_auth_method="none", redirect_uris=[uri])
    page = alice.authorize(client_id="native", redirect_uri=uri)
    assert alice.submit(page, follow=False, decision="allow").location.startswith(f"{uri}?code=")


@pytest.mark.trap(7)
def test_a_public_client_gets_no_secret(context: None) -> None:
    registered = store.create({"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none"})
    assert registered.client_secret is None
    assert registered.client.secrets == []


@pytest.mark.trap(7)
def test_upstream_still_registers_dangerous_uris_and_gives_public_clients_secrets() -> None:
    for uri in DANGEROUS[:2]:
        ClientMetadataClaims({"redirect_uris": [uri]}, {}).validate()
    with pytest.raises(Exception, match="redirect_uris"):
        ClientMetadataClaims({"redirect_uris": ["com.example.app:/cb"]}, {}).validate()
    server = registering()
    body = {"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none"}
    assert server.browser.post("/endpoint/client_registration", json=body, base_url=URL).json["client_secret"]


@pytest.mark.trap(9)
@pytest.mark.spec("RFC 6749 §2.3")
def test_two_credentials_are_one_too_many_even_when_both_are_right(app: Flask) -> None:
    form = TOKEN | {"client_id": "api", "client_secret": flows.SECRETS["api"]}
    response = machine_of(app).post("/token", data=form, headers=basic("api"), base_url=ISSUER)
    expect_token_error(response, "invalid_request")


@pytest.mark.trap(9)
@pytest.mark.spec("RFC 6749 §3.2")
def test_no_parameter_comes_twice_or_in_the_query_of_the_token_endpoint(app: Flask) -> None:
    pairs = "&".join(f"{name}={value}" for name, value in TOKEN.items())
    form_type = {"Content-Type": "application/x-www-form-urlencoded"} | basic("api")
    client = machine_of(app)
    with no_effect(app):
        doubled = client.post("/token", data=f"{pairs}&scope=photos%3Aread", headers=form_type, base_url=ISSUER)
        expect_token_error(doubled, "invalid_request")
        asked = client.post(f"/token?{pairs}", headers=form_type, base_url=ISSUER)
        expect_token_error(asked, "invalid_request")
        both = client.post("/token?scope=photos%3Awrite", data=TOKEN, headers=basic("api"), base_url=ISSUER)
        expect_token_error(both, "invalid_request")


@pytest.mark.trap(9)
def test_upstream_still_takes_two_credentials_doubled_parameters_and_the_query() -> None:
    server = alone()
    headers = basic("web", "secret")
    asked = {"grant_type": "client_credentials", "scope": "profile"}
    both = asked | {"client_id": "spa", "client_secret": "wrong"}
    assert server.browser.post("/token", data=both, headers=headers, base_url=URL).status_code == 200
    doubled = "grant_type=client_credentials&scope=profile&scope=email"
    headers |= {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.browser.post("/token", data=doubled, headers=headers, base_url=URL).status_code == 200
    assert server.browser.post(f"/token?{doubled}", headers=headers, base_url=URL).status_code == 200


@pytest.mark.trap(10)
def test_an_unknown_client_and_a_wrong_secret_look_the_same(app: Flask) -> None:
    client = machine_of(app)
    answers = [
        client.post("/token", data=TOKEN, headers=basic(client_id, "wrong"), base_url=ISSUER)
        for client_id in ("api", "nobody")
    ]
    for answer in answers:
        expect_invalid_client(answer)
    assert answers[0].data == answers[1].data
    assert answers[0].headers["WWW-Authenticate"] == answers[1].headers["WWW-Authenticate"]


@pytest.mark.trap(10)
def test_no_access_token_lives_for_days(app: Flask, alice: Browser) -> None:
    lifetimes = [
        alice.obtain_tokens()["expires_in"],
        flows.token_request(app, "api", **TOKEN).json["expires_in"],
        flows.token_request(
            app, "machine", grant_type="password", username="alice", password="correct horse battery staple"
        ).json["expires_in"],
    ]
    assert lifetimes == [900, 900, 900]


@pytest.mark.trap(10)
def test_upstream_still_tells_clients_apart_and_gives_out_ten_days() -> None:
    server = alone()
    wrong = server.token(secret="wrong", grant_type="client_credentials").json
    unknown = server.token("nobody", grant_type="client_credentials").json
    assert wrong["error"] == unknown["error"] == "invalid_client"
    assert wrong["error_description"] != unknown["error_description"]
    long = {BearerTokenGenerator.GRANT_TYPES_EXPIRES_IN[name] for name in ("authorization_code", "client_credentials")}
    assert long == {864_000}
    assert server.token(grant_type="password", username="a", password="right").json["expires_in"] == 864_000


@pytest.mark.trap(11)
def test_secrets_are_compared_as_hashes_and_never_by_authlib(context: None) -> None:
    registered = store.create({"redirect_uris": ["https://app.example/cb"]})
    (held,) = registered.client.secrets
    assert registered.client_secret is not None
    assert registered.client_secret not in (held.secret_hash, held.sealed)
    assert len(held.secret_hash) == 64
    assert not registered.client.check_client_secret(registered.client_secret)
    assert "client_secret" not in {column.name for column in Client.__table__.columns}


@pytest.mark.trap(11)
def test_upstream_still_compares_secrets_in_the_clear() -> None:
    stored = OAuth2ClientMixin()
    stored.client_secret = "as it was given"
    assert stored.check_client_secret("as it was given")


@pytest.mark.trap(20)
@pytest.mark.spec("RFC 7009 §2.2.1", "RFC 7009 §2.1")
@pytest.mark.parametrize("hint", ["id_token", "refresh_token", "made-up"])
def test_a_wrong_hint_does_not_keep_a_token_from_being_revoked(app: Flask, alice: Browser, hint: str) -> None:
    access_token = alice.obtain_tokens()["access_token"]
    assert flows.post_as(app, "/revoke", token=access_token, token_type_hint=hint).status_code == 200
    assert flows.userinfo(app, access_token).status_code == 401


@pytest.mark.trap(20)
def test_a_public_client_may_revoke_its_own_tokens(app: Flask, alice: Browser) -> None:
    access_token = alice.obtain_tokens(client_id="spa")["access_token"]
    form = {"client_id": "spa", "token": access_token}
    assert machine_of(app).post("/revoke", data=form, base_url=ISSUER).status_code == 200
    assert flows.userinfo(app, access_token).status_code == 401


@pytest.mark.trap(20)
def test_upstream_still_refuses_unknown_hints_and_all_but_basic() -> None:
    server = alone()
    server.server.register_endpoint(RevocationEndpoint)
    refused = server.token(path="/endpoint/revocation", token="x", token_type_hint="id_token")
    assert (refused.status_code, refused.json["error"]) == (401, "unsupported_token_type")
    assert RevocationEndpoint.CLIENT_AUTH_METHODS == ["client_secret_basic"]


@pytest.mark.trap(21)
def test_both_kinds_of_assertion_stand_side_by_side(app: Flask) -> None:
    for method in ("private_key_jwt", "client_secret_jwt"):
        made = make(app, method)
        assert ask(app, "/token", asserted(assertion(made))).status_code == 200


@pytest.mark.trap(21)
def test_an_assertion_for_somebody_else_too_or_for_a_long_time_is_refused(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    for changes in ({"aud": [ISSUER, "https://other.example"]}, {"aud": [ISSUER]}, {"exp": 4_000_000_000}):
        assert_unknown(ask(app, "/token", asserted(assertion(made, **changes))))


class ByKey(JWTBearerClientAssertion):  # type: ignore[misc]
    """Authlib's assertion with what it leaves to be written."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def validate_jti(self, claims: Any, jti: str) -> bool:
        return True

    def resolve_client_public_key(self, client: Any) -> Any:
        return RSA

    def get_audiences(self) -> list[str]:
        return [ISSUER]


class BySecret(ByKey):
    CLIENT_AUTH_METHOD = "client_secret_jwt"


@pytest.mark.trap(21)
def test_upstream_still_lets_one_kind_of_assertion_shut_out_the_other(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    server = accepting(made.client.client_id, "client_secret_jwt")
    refused = server.token(made.client.client_id, None, grant_type="client_credentials", **asserted(assertion(made)))
    assert refused.json["error_description"] == "The client cannot authenticate with method: private_key_jwt"


@pytest.mark.trap(21)
def test_upstream_still_accepts_foreign_audiences_and_any_lifetime(app: Flask) -> None:
    made = make(app, "private_key_jwt")
    server = accepting(made.client.client_id, "private_key_jwt")
    token = assertion(made, aud=[ISSUER, "https://other.example"], exp=4_000_000_000)
    answer = server.token(made.client.client_id, None, grant_type="client_credentials", **asserted(token))
    assert answer.status_code == 200, answer.text


def accepting(client_id: str, method: str) -> Any:
    """Authlib alone with both kinds of assertion, and a client registered for one of them."""

    class Machines(grants.ClientCredentialsGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt", "client_secret_jwt")

    server = alone()
    server.clients[client_id] = TheirClient(client_id, None, token_endpoint_auth_method=method)
    server.server._token_grants = [(Machines, None)]
    server.server.register_client_auth_method("private_key_jwt", ByKey())
    server.server.register_client_auth_method("client_secret_jwt", BySecret())
    return server


def registering() -> Any:
    """Authlib alone with open registration."""

    class Registration(ClientRegistrationEndpoint):  # type: ignore[misc]
        def authenticate_token(self, request: Any) -> bool:
            return True

        def get_server_metadata(self) -> dict[str, Any]:
            return {}

        def save_client(self, client_info: Any, client_metadata: Any, request: Any) -> object:
            return object()

    server = alone()
    server.server.register_endpoint(Registration)
    return server
