"""Authlib's traps 13, 14, 16, 18, 19 and 22 to 25 (docs/authlib.md): answers that have not the shape of their specification."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.integrations.sqla_oauth2 import OAuth2AuthorizationCodeMixin, OAuth2ClientMixin, OAuth2TokenMixin
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfoEndpoint
from flask import Flask
from joserfc import jwt

from oidc_server.clients.models import Client
from oidc_server.database import Base
from tests import flows
from tests.conftest import CALLBACK, ISSUER
from tests.expectations import (
    expect_error_form,
    expect_error_redirect,
    expect_token_error,
    no_effect,
    posted_form,
)
from tests.flows import Browser, Clock, claims_of, machine_of

from .authlib_alone import KEY, URL, ImplicitGrant, alone

PASSWORD = {"grant_type": "password", "username": "alice"}


class WithIssuer(IssuerParameter):  # type: ignore[misc]
    def __init__(self, server: Any = None) -> None:
        if server is not None:
            self(server)

    def get_issuer(self) -> str:
        return URL


@pytest.mark.trap(13)
@pytest.mark.spec("RFC 6749 §5.2")
def test_a_wrong_password_is_an_invalid_grant(app: Flask) -> None:
    expect_token_error(flows.token_request(app, "machine", **PASSWORD, password="wrong password"), "invalid_grant")


@pytest.mark.trap(13)
def test_upstream_still_calls_a_wrong_password_an_invalid_request() -> None:
    assert alone().token(**PASSWORD, password="wrong").json["error"] == "invalid_request"


@pytest.mark.trap(14)
@pytest.mark.spec("RFC 9207 §2")
def test_every_answer_names_the_issuer(app: Flask, alice: Browser, browser: Browser) -> None:
    expect_error_redirect(browser.authorize(follow=False, prompt="none"), "login_required")
    expect_error_form(browser.authorize(follow=False, prompt="none", response_mode="form_post"), "login_required")
    expect_error_redirect(alice.authorize(follow=False, response_type="token"), "unsupported_response_type")
    page = alice.authorize(response_mode="form_post")
    assert dict(posted_form(alice.submit(page, follow=False, decision="allow"))[1])["iss"] == ISSUER
    assert flows.answer_of(alice.authorize(follow=False))["iss"] == ISSUER


@pytest.mark.trap(14)
def test_upstream_still_names_the_issuer_in_the_wrong_place_or_not_at_all() -> None:
    server = alone(WithIssuer, registered=[ImplicitGrant])
    implicit = server.authorize(client_id="spa", response_type="id_token token", nonce="n").location
    assert "iss=" in urlsplit(implicit).query
    assert "access_token=" in urlsplit(implicit).fragment
    assert "iss=" not in server.authorize(prompt="none", nobody="").location
    assert "iss=" in server.authorize().location, "only where all goes well"


@pytest.mark.trap(16)
@pytest.mark.spec("Form Post Response Mode §2")
def test_a_code_can_be_posted_and_so_can_an_error(app: Flask, alice: Browser) -> None:
    state = 'a b+c%20d"><&'
    page = alice.authorize(response_mode="form_post", state=state)
    answer = alice.submit(page, follow=False, decision="allow")
    action, pairs = posted_form(answer)
    assert action == CALLBACK
    assert dict(pairs)["state"] == state
    assert "onload" not in answer.text
    assert "<script>" not in answer.text
    refused = alice.authorize(follow=False, response_mode="form_post", state=state, scope="nonsense")
    expect_error_form(refused, "invalid_scope", state=state)


@pytest.mark.trap(16)
def test_upstream_still_posts_percent_signs_and_redirects_codes() -> None:
    server = alone(registered=[ImplicitGrant])
    asked = {"response_mode": "form_post", "nonce": "n", "state": "a b"}
    posted = server.authorize(client_id="spa", response_type="id_token", **asked)
    assert 'name="state" value="a%20b"' in posted.text
    assert 'onload="javascript:' in posted.text
    assert server.authorize(**asked).location.startswith(f"{CALLBACK}?code=")
    refused = server.authorize(client_id="spa", response_type="id_token", nobody="", prompt="none", **asked)
    assert refused.status_code == 302


@pytest.mark.trap(18)
@pytest.mark.parametrize("prompt", ["create", "whatever", "login whatever", "none login"])
def test_a_prompt_that_cannot_be_honoured_is_refused(app: Flask, alice: Browser, prompt: str) -> None:
    with no_effect(app):
        expect_error_redirect(alice.authorize(follow=False, prompt=prompt), "invalid_request")


@pytest.mark.trap(18)
@pytest.mark.spec("OIDC Core §3.1.2.1")
def test_prompt_max_age_hint_and_claims_all_count(app: Flask, alice: Browser, clock: Clock) -> None:
    tokens = alice.obtain_tokens()
    bob = flows.Browser(app)
    bob.sign_in("bob")
    hint = bob.authorize(follow=False, prompt="none", id_token_hint=tokens["id_token"])
    expect_error_redirect(hint, "login_required")
    clock.advance(60)
    expect_error_redirect(alice.authorize(follow=False, prompt="none", max_age="30"), "login_required")
    for prompt in ("login", "select_account"):
        assert 'id="login-form"' in alice.authorize(prompt=prompt).text
    assert 'id="consent-allow"' in alice.authorize(prompt="consent").text
    essential = '{"id_token": {"acr": {"essential": true, "value": "gold"}}}'
    expect_error_redirect(alice.authorize(follow=False, claims=essential), "unmet_authentication_requirements")


@pytest.mark.trap(18)
def test_prompt_none_asks_nobody_even_without_openid(app: Flask, browser: Browser) -> None:
    asked = {"scope": "photos:read", "resource": "https://api.photos.example/", "prompt": "none"}
    expect_error_redirect(browser.authorize(follow=False, **asked), "login_required")


@pytest.mark.trap(18)
def test_upstream_still_ignores_what_it_does_not_know_about_prompts() -> None:
    server = alone()
    assert server.code(prompt="create")
    assert server.code(max_age="0", id_token_hint="nonsense", acr_values="gold", claims="nonsense")
    assert server.code(prompt="login") and server.app.extensions["prompt"] == "login", "the rest is left to us"
    assert server.code(scope="profile", prompt="none", nobody=""), "without openid nobody looks at it"


@pytest.mark.trap(19)
@pytest.mark.spec("RFC 6750 §2.2", "RFC 6750 §3.1")
def test_userinfo_reads_the_body_and_challenges_as_the_specification_says(app: Flask, alice: Browser) -> None:
    token = alice.obtain_tokens()["access_token"]
    client = machine_of(app)
    assert client.post("/userinfo", data={"access_token": token}, base_url=ISSUER).status_code == 200
    missing = client.get("/userinfo", base_url=ISSUER)
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"] == f'Bearer realm="{ISSUER}"'


@pytest.mark.trap(19)
@pytest.mark.spec("RFC 6750 §3.1")
def test_a_token_without_openid_is_an_insufficient_scope(app: Flask) -> None:
    asked = PASSWORD | {
        "password": "correct horse battery staple",
        "scope": "profile",
        "resource": f"{ISSUER}/userinfo",
    }
    token = flows.token_request(app, "machine", **asked)
    assert token.status_code == 200, token.text
    refused = flows.userinfo(app, token.json["access_token"])
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


@pytest.mark.trap(19)
def test_upstream_still_has_no_userinfo_for_jwts_and_its_own_error_codes() -> None:
    class Validator(JWTBearerTokenValidator):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return KEY

    protector = ResourceProtector()
    protector.register_token_validator(Validator(issuer=URL, resource_server=URL))
    server = alone()
    server.server.register_endpoint(UserInfoEndpoint(resource_protector=protector))
    missing = server.browser.get("/endpoint/userinfo", base_url=URL)
    assert (missing.status_code, missing.json["error"]) == (401, "missing_authorization")
    claims = {"iss": URL, "sub": "alice", "aud": URL, "client_id": "web", "scope": "openid", "jti": "1"}
    token = jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims | {"iat": 1, "exp": 4_000_000_000}, KEY)
    posted = server.browser.post("/endpoint/userinfo", data={"access_token": token}, base_url=URL)
    assert posted.status_code == 401, "the header alone"
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.browser.get("/endpoint/userinfo", headers=bearer, base_url=URL).status_code == 500


@pytest.mark.trap(22)
def test_a_wrong_response_type_is_explained(app: Flask, alice: Browser) -> None:
    refused = alice.authorize(follow=False, response_type="token")
    answer = expect_error_redirect(refused, "unsupported_response_type")
    assert answer["error_description"] == "The response_type must be code."


@pytest.mark.trap(22)
def test_upstream_still_describes_a_wrong_response_type_by_itself() -> None:
    assert "error_description=wild" in alone().authorize(response_type="wild").location


@pytest.mark.trap(23)
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_an_endpoint_for_machines_never_redirects(app: Flask, path: str) -> None:
    form = flows.request_of(response_type="token") | {"token": "x", "grant_type": "authorization_code"}
    response = machine_of(app).post(path, data=form, headers=flows.basic(secret="wrong"), base_url=ISSUER)
    assert response.status_code == 401
    assert "Location" not in response.headers


@pytest.mark.trap(23)
def test_no_request_is_pushed_yet(app: Flask) -> None:
    response = machine_of(app).post("/par", data=flows.request_of(), headers=flows.basic(), base_url=ISSUER)
    assert response.status_code == 404
    assert "pushed_authorization_request_endpoint" not in app.extensions["oidc_server"].metadata


@pytest.mark.trap(23)
def test_upstream_still_answers_a_validation_error_by_a_redirect_wherever_it_happens() -> None:
    server = alone()
    asked = {"client_id": "web", "response_type": "code", "redirect_uri": CALLBACK, "code_challenge": "short"}
    with server.app.test_request_context("/par", method="POST", data=asked, base_url=URL):
        grant = server.server.get_authorization_grant(server.server.create_oauth2_request(None))
        with pytest.raises(OAuth2Error) as refused:
            grant.validate_authorization_request()
    assert refused.value.redirect_uri == CALLBACK
    assert refused.value()[0] == 302


@pytest.mark.trap(24)
@pytest.mark.parametrize(
    "more", [{}, {"code_challenge": "x" * 43, "nonce": "another", "scope": "openid", "state": "another"}]
)
def test_consent_is_to_the_request_that_was_validated(app: Flask, alice: Browser, more: dict[str, str]) -> None:
    page = alice.authorize()
    _, fields = flows.form_of(page.text)
    assert not {"code_challenge", "nonce", "scope", "redirect_uri"} & fields.keys()
    answer = flows.answer_of(alice.submit(page, follow=False, decision="allow", **more))
    assert answer["state"] == "a-state"
    expect_token_error(flows.redeem(app, answer["code"], code_verifier="x" * 43))
    tokens = flows.redeem(app, answer["code"]).json
    assert claims_of(tokens["id_token"])["nonce"] == "a-nonce"
    assert tokens["scope"] == "openid profile email"


@pytest.mark.trap(24)
def test_upstream_still_keeps_nothing_between_the_consent_page_and_its_answer() -> None:
    server = alone()
    asked = {"client_id": "web", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
    protected = asked | {"code_challenge": flows.CHALLENGE, "code_challenge_method": "S256", "nonce": "n"}
    with server.app.test_request_context("/authorize", query_string=protected, base_url=URL):
        assert server.server.get_consent_grant(end_user=object())
    server.browser.post("/authorize", data=asked, base_url=URL)
    (stored,) = server.codes.values()
    assert (stored.code_challenge, stored.nonce) == (None, None)


@pytest.mark.trap(25)
def test_no_table_is_made_of_the_mixins() -> None:
    for table in Base.registry.mappers:
        assert not issubclass(table.class_, (OAuth2ClientMixin, OAuth2AuthorizationCodeMixin, OAuth2TokenMixin))
    identifier = Client.__table__.c.client_id
    assert identifier.primary_key
    assert identifier.type.length == 255
    assert "access_token" not in {column.name for table in Base.metadata.sorted_tables for column in table.columns}


@pytest.mark.trap(25)
def test_a_code_of_an_old_sign_in_is_as_good_as_any(app: Flask, alice: Browser, clock: Clock) -> None:
    clock.advance(3600)
    code = alice.obtain_code()
    tokens = flows.redeem(app, code).json
    assert claims_of(tokens["id_token"])["auth_time"] < clock() - 3500


@pytest.mark.trap(25)
@pytest.mark.spec("OIDC Core §15.5.2")
def test_a_nonce_belongs_to_the_client_and_may_come_again(alice: Browser) -> None:
    assert alice.obtain_code(nonce="same") != alice.obtain_code(nonce="same")


@pytest.mark.trap(25)
def test_upstream_still_has_short_columns_and_codes_that_die_of_an_old_sign_in() -> None:
    assert OAuth2TokenMixin.access_token.type.length == 255
    assert OAuth2ClientMixin.client_id.type.length == 48
    assert not OAuth2ClientMixin.client_id.unique
    code = OAuth2AuthorizationCodeMixin()
    code.auth_time = 1_000_000
    assert code.is_expired()
