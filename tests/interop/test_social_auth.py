"""social-auth-core's generic OpenID Connect backend, which Django and Flask sites sign people in with.

Such a site sets SOCIAL_AUTH_OIDC_USE_PKCE, which is off by itself. Its refresh sends the secret in the body whatever was
sent with the code, so a site that refreshes is registered, and set, for client_secret_post.
"""

from __future__ import annotations

import pytest

from tests import flows

from .person import Person
from .site import Site

pytest.importorskip("social_core", reason="the package social-auth-core is missing; install requirements-dev.txt")

from .website import AuthCanceled, AuthConfigurationError, Users, Website


@pytest.fixture
def website(site: Site) -> Website:
    client_id = f"website-{flows.new_state()}"
    return Website(OIDC_ENDPOINT=site.url, KEY=client_id, SECRET=site.register(client_id), USE_PKCE=True)


@pytest.mark.spec("OIDC Core §3.1")
def test_a_website_makes_an_account_for_alice(site: Site, website: Website, alice: Person) -> None:
    user = website.complete(alice.visit(website.begin()))
    assert user.username == "alice"
    assert user.email == "alice@example.test"
    assert (user.first_name, user.last_name, user.fullname) == ("Alice", "Liddell", "Alice Liddell")
    assert list(Users.known) == [("oidc", site.alice)]


def test_a_website_knows_alice_when_she_comes_again(website: Website, alice: Person) -> None:
    first = website.complete(alice.visit(website.begin()))
    assert website.complete(alice.visit(website.begin())) is first
    assert len(Users.people) == 1


def test_a_website_learns_that_alice_said_no(website: Website, alice: Person) -> None:
    with pytest.raises(AuthCanceled):
        website.complete(alice.visit(website.begin(), decision="deny"))
    assert Users.people == {}


@pytest.mark.spec("OIDC Core §12.2")
def test_a_website_refreshes(site: Site, alice: Person) -> None:
    secret = site.register("refreshing", token_endpoint_auth_method="client_secret_post")
    website = Website(
        OIDC_ENDPOINT=site.url,
        KEY="refreshing",
        SECRET=secret,
        USE_PKCE=True,
        TOKEN_ENDPOINT_AUTH_METHOD="client_secret_post",
    )
    website.complete(alice.visit(website.begin()))
    kept = Users.known["oidc", site.alice].extra_data
    refreshed = website.refresh(kept["refresh_token"])
    assert refreshed["refresh_token"] != kept["refresh_token"]
    assert flows.claims_of(refreshed["id_token"])["sub"] == site.alice


def test_a_website_that_sends_its_secret_by_another_way_than_it_registered_is_refused(
    site: Site, website: Website, alice: Person
) -> None:
    website.settings["SOCIAL_AUTH_OIDC_TOKEN_ENDPOINT_AUTH_METHOD"] = "client_secret_post"
    with pytest.raises(AuthConfigurationError):
        website.complete(alice.visit(website.begin()))
