"""Authlib's trap 12 (docs/authlib.md): what somebody sends is never an unhandled exception."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oauth2.rfc9068 import JWTIntrospectionEndpoint
from flask import Flask

from tests import flows
from tests.conftest import API, ISSUER
from tests.expectations import (
    expect_error_redirect,
    expect_invalid_client,
    expect_page,
    expect_token_error,
    no_effect,
)
from tests.flows import Browser, basic, machine_of

from .authlib_alone import KEY, URL, Alone, ImplicitGrant, alone

pytestmark = pytest.mark.trap(12)
ODD = ['https://photos.example/"', "https://photos.example/\\", "https://photos.example/é", "\u202e", "\x00x"]
TOKEN = {"grant_type": "client_credentials", "scope": "photos:read", "resource": API}


def header_of(raw: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(raw).decode()}


@pytest.mark.parametrize("uri", ODD)
def test_an_odd_redirect_uri_is_a_page(app: Flask, alice: Browser, uri: str) -> None:
    with no_effect(app):
        expect_page(alice.authorize(follow=False, redirect_uri=uri), "invalid_request")
        expect_token_error(flows.redeem(app, "a-code", redirect_uri=uri), flows_error(uri))


def flows_error(uri: str) -> str:
    return "invalid_request" if "\x00" in uri else "invalid_grant"


@pytest.mark.parametrize(
    ("parameter", "error"),
    [
        ("response_type", "unsupported_response_type"),
        ("response_mode", "invalid_request"),
        ("scope", "invalid_scope"),
        ("prompt", "invalid_request"),
        ("code_challenge_method", "invalid_request"),
    ],
)
@pytest.mark.parametrize("value", ["é", '"\\', "\u202e\ud7ff", "x" * 4000])
def test_an_odd_value_is_an_error_of_the_protocol(
    app: Flask, alice: Browser, parameter: str, error: str, value: str
) -> None:
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, **{parameter: value}), error)


@pytest.mark.parametrize(
    "raw",
    [b"spa:", b"spa:secret", b"web:\xc3\xa9", b"web:\xff\xfe", b"\xff:x", b"web", b"", b"web:%C3%28", b"web:%", b":"],
    ids=repr,
)
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_an_odd_basic_header_is_an_unknown_client(app: Flask, path: str, raw: bytes) -> None:
    form = TOKEN | {"token": "x"}
    expect_invalid_client(machine_of(app).post(path, data=form, headers=header_of(raw), base_url=ISSUER))


@pytest.mark.parametrize("token", ["junk", "a.b.c", "é", "..", "eyJhbGciOiJub25lIn0.e30.", "x" * 16_000])
def test_introspection_of_junk_is_an_inactive_token(app: Flask, token: str) -> None:
    assert flows.introspect(app, token) == {"active": False}


def test_introspection_of_a_token_without_a_person_is_whole(app: Flask) -> None:
    token = flows.token_request(app, "api", **TOKEN).json["access_token"]
    found = flows.introspect(app, token)
    assert (found["active"], found["sub"], found["client_id"]) == (True, "api", "api")
    assert "username" not in found


def test_the_scheme_between_proxy_and_server_changes_nothing(app: Flask) -> None:
    response = machine_of(app).post(
        "/token", data=TOKEN, headers=basic("api"), base_url=ISSUER.replace("https", "http")
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("body", ["[]", "[1]", '{"redirect_uris": [1]}', "null"])
def test_no_endpoint_registers_clients_yet(app: Flask, body: str) -> None:
    response = machine_of(app).post("/register", data=body, content_type="application/json", base_url=ISSUER)
    assert response.status_code == 404
    assert "registration_endpoint" not in app.extensions["oidc_server"].metadata


def odd_response_type(server: Alone) -> Any:
    return server.authorize(response_type="é")


def odd_redirect_uri(server: Alone) -> Any:
    return server.authorize(redirect_uri='https://photos.example/"')


def unknown_response_mode(server: Alone) -> Any:
    return server.authorize(client_id="spa", response_type="id_token", nonce="n", response_mode="x")


def basic_of_a_public_client(server: Alone) -> Any:
    return server.token("spa", "secret", grant_type="client_credentials")


def secret_beyond_ascii(server: Alone) -> Any:
    return server.browser.post("/token", data=TOKEN, headers=header_of("web:é".encode()), base_url=URL)


def header_that_is_no_utf8(server: Alone) -> Any:
    return server.browser.post("/token", data=TOKEN, headers=header_of(b"web:\xff"), base_url=URL)


def introspection_of_junk(server: Alone) -> Any:
    class Introspection(JWTIntrospectionEndpoint):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return KEY

    server.server.register_endpoint(Introspection(issuer=URL))
    return server.token(path="/endpoint/introspection", token="junk")


def plain_http(server: Alone) -> Any:
    return server.browser.post("/token", data=TOKEN, headers=basic("web", "secret"), base_url="http://authlib.example")


@pytest.mark.parametrize(
    "ask",
    [
        odd_response_type,
        odd_redirect_uri,
        unknown_response_mode,
        basic_of_a_public_client,
        secret_beyond_ascii,
        header_that_is_no_utf8,
        introspection_of_junk,
        plain_http,
    ],
    ids=lambda ask: ask.__name__,
)
def test_upstream_still_ends_in_an_exception(ask: Callable[[Alone], Any]) -> None:
    assert ask(alone(registered=[ImplicitGrant])).status_code == 500


def test_upstream_still_fails_on_registered_uris_that_are_no_texts() -> None:
    with pytest.raises((AttributeError, TypeError)):
        ClientMetadataClaims({"redirect_uris": [1]}, {}).validate()
