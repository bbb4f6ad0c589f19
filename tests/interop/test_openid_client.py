"""openid-client for Node.js, with all its checks: state, nonce, iss, PKCE, max_age, signature and claims of the ID token."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import flows

from .node_program import CallFailed, NodeProgram
from .openid_app import METHODS, OpenidApp
from .person import Person
from .site import ALGORITHMS, API, BYE, CALLBACK, Site


@pytest.fixture(scope="module")
def app(site: Site, node_program: Callable[[str], NodeProgram]) -> OpenidApp:
    return OpenidApp(site, node_program("openid_client.mjs"))


@pytest.mark.spec("OIDC Core §3.1.3.7", "RFC 6749 §4.1.3", "RFC 7636 §4.5")
@pytest.mark.parametrize("method", METHODS)
def test_an_app_signs_alice_in_and_learns_who_she_is(site: Site, app: OpenidApp, alice: Person, method: str) -> None:
    app.register(method)
    tokens = app.sign_in(alice, max_age=600)
    assert tokens["claims"]["sub"] == site.alice
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    person = app.call("userinfo", access_token=tokens["access_token"], sub=site.alice)
    assert person["name"] == "Alice Liddell"
    assert person["email"] == "alice@example.test"


@pytest.mark.spec("OIDC Core §12.2", "RFC 6749 §6")
@pytest.mark.parametrize("method", METHODS)
def test_a_refresh_brings_new_tokens_for_the_same_sign_in(
    site: Site, app: OpenidApp, alice: Person, method: str
) -> None:
    app.register(method)
    first = app.sign_in(alice)
    second = app.call("refresh", refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["claims"]["sub"] == site.alice
    assert second["claims"]["auth_time"] == first["claims"]["auth_time"]
    assert app.call("userinfo", access_token=second["access_token"], sub=site.alice)["sub"] == site.alice


@pytest.mark.spec("RFC 7009 §2.1")
@pytest.mark.parametrize("method", METHODS)
def test_a_revoked_refresh_token_is_worth_nothing(site: Site, app: OpenidApp, alice: Person, method: str) -> None:
    app.register(method)
    tokens = app.sign_in(alice)
    app.call("revoke", token=tokens["refresh_token"], token_type_hint="refresh_token")
    with pytest.raises(CallFailed) as refused:
        app.call("refresh", refresh_token=tokens["refresh_token"])
    assert refused.value.error == "invalid_grant"
    with pytest.raises(CallFailed) as refused:
        app.call("userinfo", access_token=tokens["access_token"], sub=site.alice)
    assert refused.value.code == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"


@pytest.mark.spec("OIDC Core §9", "RFC 7523 §3")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_app_proves_itself_with_its_own_key(site: Site, app: OpenidApp, alice: Person, algorithm: str) -> None:
    app.register_with_key(algorithm)
    assert app.sign_in(alice)["claims"]["sub"] == site.alice


@pytest.mark.spec("OIDC Core §3.1.3.7")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_app_gets_id_tokens_signed_by_the_algorithm_it_registered(
    site: Site, app: OpenidApp, alice: Person, algorithm: str
) -> None:
    app.register(id_token_signed_response_alg=algorithm)
    tokens = app.sign_in(alice)
    assert flows.header_of(tokens["id_token"])["alg"] == algorithm
    refreshed = app.call("refresh", refresh_token=tokens["refresh_token"])
    assert flows.header_of(refreshed["id_token"])["alg"] == algorithm


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode §2")
def test_an_app_is_answered_by_a_form(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    link = app.begin(response_mode="form_post")
    action, fields = alice.visit_for_form_post(link)
    assert action == CALLBACK
    assert app.call("finish", url=action, form=fields)["claims"]["sub"] == site.alice


@pytest.mark.spec("RFC 8707 §2")
def test_an_app_asks_for_a_token_for_the_api(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    tokens = app.sign_in(alice, scope="openid photos:read offline_access", resource=API)
    assert flows.claims_of(tokens["access_token"])["aud"] == API
    assert tokens["scope"] == "photos:read"
    refreshed = app.call("refresh", refresh_token=tokens["refresh_token"], parameters={"resource": API})
    assert flows.claims_of(refreshed["access_token"])["aud"] == API


@pytest.mark.spec("RFC 7662 §2.2")
def test_an_api_asks_about_the_tokens_it_is_sent(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    tokens = app.sign_in(alice, scope="openid photos:read", resource=API)
    its_own = app.sign_in(alice)
    secret = site.register_machine("api")
    app.connect("api", "client_secret_basic", secret=secret)

    found = app.call("introspect", token=tokens["access_token"])
    assert found["active"] is True
    assert found["sub"] == site.alice
    assert found["aud"] == API
    assert found["scope"] == "photos:read"
    assert app.call("introspect", token=its_own["access_token"]) == {"active": False}


@pytest.mark.spec("RFC 6749 §4.4")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_machine_gets_a_token_for_itself(site: Site, app: OpenidApp, method: str) -> None:
    client_id = f"machine-{method}"
    secret = site.register_machine(client_id, token_endpoint_auth_method=method, scope="photos:read")
    app.connect(client_id, method, secret=secret)
    tokens = app.call("client_credentials", scope="photos:read", resource=API)
    claims = flows.claims_of(tokens["access_token"])
    assert (claims["sub"], claims["aud"], claims["scope"]) == (client_id, API, "photos:read")
    assert "refresh_token" not in tokens


def test_a_machine_with_a_key_gets_a_token_for_itself(site: Site, app: OpenidApp) -> None:
    alone = {"grant_types": ["client_credentials"], "redirect_uris": [], "post_logout_redirect_uris": []}
    app.register_with_key("PS256", **alone, scope="photos:read")
    tokens = app.call("client_credentials", scope="photos:read", resource=API)
    assert flows.claims_of(tokens["access_token"])["aud"] == API


@pytest.mark.spec("RP-Initiated Logout §2")
def test_an_app_signs_alice_out(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    tokens = app.sign_in(alice, scope="openid")
    link = app.call("end_session_url", id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="see-you")
    assert alice.visit(link) == f"{BYE}?state=see-you"
    with pytest.raises(CallFailed) as refused:
        app.sign_in(alice, scope="openid", prompt="none")
    assert refused.value.error == "login_required"
    with pytest.raises(CallFailed) as refused:
        app.call("refresh", refresh_token=tokens["refresh_token"])
    assert refused.value.error == "invalid_grant"


@pytest.mark.spec("RFC 6749 §4.1.2.1")
def test_an_app_learns_that_alice_said_no(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    called_back = alice.visit(app.begin(scope="openid profile"), decision="deny")
    with pytest.raises(CallFailed) as refused:
        app.call("finish", url=called_back)
    assert refused.value.error == "access_denied"


@pytest.mark.spec("RFC 9207 §2.4")
@pytest.mark.parametrize(
    ("now", "reason"),
    [("", 'response parameter "iss" (issuer) missing'), ("&iss=https%3A%2F%2Fevil.example", 'unexpected "iss"')],
)
def test_an_app_refuses_the_answer_of_another_server(
    site: Site, app: OpenidApp, alice: Person, now: str, reason: str
) -> None:
    """Because our metadata say that every answer names us, an app may not go without."""
    assert app.register()["authorization_response_iss_parameter_supported"] is True
    called_back = alice.visit(app.begin())
    before, iss, after = called_back.partition("&iss=" + site.url.replace(":", "%3A").replace("/", "%2F"))
    assert iss, called_back
    with pytest.raises(CallFailed) as refused:
        app.call("finish", url=before + now + after)
    assert reason in refused.value.message
    assert app.call("finish", url=called_back)["claims"]["sub"] == site.alice, "the true answer is still good"


@pytest.mark.spec("RFC 7636 §4.6")
def test_an_app_that_lost_its_code_verifier_gets_nothing(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    called_back = alice.visit(app.begin())
    with pytest.raises(CallFailed) as refused:
        app.call("finish", url=called_back, checks={"pkceCodeVerifier": flows.VERIFIER})
    assert refused.value.error == "invalid_grant"


@pytest.mark.spec("OIDC Core §3.1.3.7")
def test_an_app_finds_its_own_nonce_in_the_id_token(site: Site, app: OpenidApp, alice: Person) -> None:
    app.register()
    called_back = alice.visit(app.begin())
    with pytest.raises(CallFailed) as refused:
        app.call("finish", url=called_back, checks={"expectedNonce": "another"})
    assert '"nonce"' in refused.value.message
