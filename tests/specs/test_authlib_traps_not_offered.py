"""Authlib's traps in what we do not offer (docs/authlib.md: 6, 8, 13, 15, 17): nobody reaches that code through our server."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceCodeGrant
from authlib.oauth2.rfc9101 import JWTAuthenticationRequest
from flask import Flask

from tests import flows
from tests.conftest import ISSUER
from tests.expectations import expect_error_form, expect_error_redirect, expect_token_error, no_effect
from tests.flows import Browser, machine_of

from .authlib_alone import CALLBACK, KEY, HybridGrant, ImplicitGrant, alone


def unsigned(**claims: Any) -> str:
    parts = (json.dumps({"alg": "none"}), json.dumps(claims))
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.trap(6)
@pytest.mark.spec("OIDC Core §6.1")
def test_a_request_object_is_refused_whatever_is_in_it(app: Flask, alice: Browser) -> None:
    with no_effect(app):
        refused = alice.authorize(follow=False, request=unsigned(**flows.request_of()))
        expect_error_redirect(refused, "request_not_supported")
        refused = alice.authorize(follow=False, request_uri="https://photos.example/request.jwt")
        expect_error_redirect(refused, "request_uri_not_supported")
    metadata = app.extensions["oidc_server"].metadata
    assert metadata["request_parameter_supported"] is False
    assert metadata["request_uri_parameter_supported"] is False


@pytest.mark.trap(6)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_upstream_still_believes_unsigned_request_objects_for_anybody() -> None:
    class RequestObjects(JWTAuthenticationRequest):  # type: ignore[misc]
        def resolve_client_public_key(self, client: Any) -> Any:
            return KEY

        def get_server_metadata(self) -> dict[str, Any]:
            return {}

    server = alone(lambda made: RequestObjects()(made))
    claims = {"client_id": "web", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    assert server.code(request=unsigned(**claims, aud="https://somebody.else.example"))


@pytest.mark.trap(8, 15, 17)
@pytest.mark.parametrize(
    "response_type", ["token", "id_token", "id_token token", "code id_token", "code token", "none"]
)
@pytest.mark.parametrize("client_id", ["web", "spa"])
def test_nothing_but_codes_leaves_the_authorization_endpoint(
    app: Flask, alice: Browser, client_id: str, response_type: str
) -> None:
    asked = {"client_id": client_id, "response_type": response_type}
    uri = flows.REDIRECT_URIS[client_id]
    with no_effect(app):
        for mode in (None, "query"):
            refused = alice.authorize(follow=False, response_mode=mode, **asked)
            expect_error_redirect(refused, "unsupported_response_type", redirect_uri=uri)
        refused = alice.authorize(follow=False, response_mode="form_post", **asked)
        expect_error_form(refused, "unsupported_response_type", redirect_uri=uri)
        refused = alice.authorize(follow=False, response_mode="fragment", **asked)
        expect_error_redirect(refused, "invalid_request", redirect_uri=uri)
    assert app.extensions["oidc_server"].metadata["response_types_supported"] == ["code"]


@pytest.mark.trap(8)
def test_upstream_still_puts_access_tokens_into_the_query() -> None:
    server = alone(registered=[ImplicitGrant])
    asked = {"response_type": "id_token token", "nonce": "n", "response_mode": "query"}
    assert "access_token=" in urlsplit(server.authorize(client_id="spa", **asked).location).query


@pytest.mark.trap(15)
def test_upstream_still_loses_fragment_and_state_of_hybrid_errors() -> None:
    server = alone(registered=[HybridGrant])
    refused = urlsplit(server.authorize(response_type="code id_token").location)  # without a nonce
    assert "error=invalid_request" in refused.query
    denied = urlsplit(server.authorize(response_type="code id_token", nonce="n", deny="").location)
    assert "error=access_denied" in denied.fragment
    assert "state" not in denied.fragment


@pytest.mark.trap(17)
def test_upstream_still_keeps_confidential_clients_from_the_implicit_grant() -> None:
    server = alone(registered=[ImplicitGrant])
    refused = server.authorize(response_type="id_token", nonce="n")
    assert refused.json["error"] == "invalid_client"


@pytest.mark.trap(13)
def test_there_is_no_device_flow(app: Flask) -> None:
    expect_token_error(
        flows.token_request(app, grant_type=DEVICE_CODE_GRANT_TYPE, device_code="x"), "unsupported_grant_type"
    )
    response = machine_of(app).post("/device_authorization", data={"client_id": "spa"}, base_url=ISSUER)
    assert response.status_code == 404
    metadata = app.extensions["oidc_server"].metadata
    assert "device_authorization_endpoint" not in metadata
    assert DEVICE_CODE_GRANT_TYPE not in metadata["grant_types_supported"]


@pytest.mark.trap(13)
def test_upstream_still_calls_a_bad_device_code_an_invalid_request() -> None:
    class Devices(DeviceCodeGrant):  # type: ignore[misc]
        def query_device_credential(self, device_code: str) -> None:
            return None

    server = alone(registered=[Devices])
    server.clients["spa"].set_client_metadata(
        {"token_endpoint_auth_method": "none", "grant_types": [DEVICE_CODE_GRANT_TYPE]}
    )
    refused = server.token("spa", None, grant_type=DEVICE_CODE_GRANT_TYPE, device_code="x")
    assert refused.json["error"] == "invalid_request"
