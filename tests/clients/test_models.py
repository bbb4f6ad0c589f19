"""What a client may ask for, and how it is shown."""

from __future__ import annotations

import time

import pytest

from oidc_server.clients import store
from oidc_server.clients.models import origins_of

from .conftest import WEB

pytestmark = pytest.mark.usefixtures("context")


def test_a_scope_is_allowed_as_a_whole_or_not_at_all() -> None:
    client = store.create(WEB | {"scope": "openid photos:read photos:write"}).client
    assert client.get_allowed_scope("photos:read openid") == "photos:read openid"
    assert client.get_allowed_scope("openid openid") == "openid"
    assert client.get_allowed_scope("openid admin") is None
    assert client.get_allowed_scope("OPENID") is None


def test_without_a_scope_nothing_about_the_person_is_given() -> None:
    client = store.create(WEB | {"scope": "openid profile offline_access photos:read roles"}).client
    assert client.get_allowed_scope("") == client.get_allowed_scope(None) == "photos:read"


@pytest.mark.row("AR-10")
@pytest.mark.parametrize(
    "scope",
    [
        " ".join(f"s{number}" for number in range(10_000)),
        "a " * 5000,
        "openid\tprofile",
        "openid\0",
        " openid",
        "openid  profile",
    ],
)
def test_the_work_for_an_absurd_scope_is_bounded(scope: str) -> None:
    client = store.create(WEB).client
    started = time.perf_counter()
    assert client.get_allowed_scope(scope) is None
    assert time.perf_counter() - started < 0.05


def test_people_are_shown_the_home_page_or_else_where_the_answer_goes() -> None:
    assert store.create(WEB).client.display_host == "photos.example"
    assert store.create(WEB | {"client_uri": "https://harbour.example/"}).client.display_host == "harbour.example"
    assert store.create({"grant_types": ["client_credentials"]}).client.display_host == ""


def test_origins_are_those_of_the_redirect_uris() -> None:
    uris = [
        "https://photos.example/cb",
        "https://photos.example/other",
        "com.example.app:/cb",
        "http://localhost:8001/cb",
    ]
    before = store.origins()
    store.create(WEB | {"redirect_uris": uris})
    assert store.origins() - before == {"https://photos.example", "http://localhost:8001"} - before
    assert origins_of(uris, "https://home.example/x") == {
        "https://photos.example",
        "http://localhost:8001",
        "https://home.example",
    }


@pytest.mark.row("RU-18")
def test_a_redirect_uri_may_be_left_out_only_if_there_is_one() -> None:
    assert store.create(WEB).client.get_default_redirect_uri() == "https://photos.example/cb"
    two = store.create(WEB | {"redirect_uris": ["https://photos.example/cb", "https://photos.example/cb2"]}).client
    assert two.get_default_redirect_uri() is None


def test_the_answers_to_authlib_follow_the_registration() -> None:
    client = store.create(WEB | {"grant_types": ["authorization_code"], "token_endpoint_auth_method": "none"}).client
    assert client.check_grant_type("authorization_code") and not client.check_grant_type("password")
    assert client.check_response_type("code") and not client.check_response_type("token")
    assert client.check_endpoint_auth_method("none", "token")
    assert not client.check_endpoint_auth_method("client_secret_basic", "token")
    assert not client.check_client_secret("")


@pytest.mark.row("LS-04")
def test_nothing_secret_is_printed() -> None:
    made = store.create(WEB)
    assert made.client_secret is not None
    shown = repr(made) + repr(made.client) + repr(made.client.secrets)
    assert made.client_secret not in shown
    assert made.client.secrets[0].secret_hash not in shown


@pytest.mark.row("JW-06", "CA-06")
@pytest.mark.parametrize("client_id", ["", "\0", "a\0b", "' OR 1=1 --", "\ud800", "x" * 10_000, "é", "nobody"])
def test_an_odd_identifier_finds_nobody(client_id: str) -> None:
    assert store.find(client_id) is None


def test_a_disabled_client_is_found_by_operators_only() -> None:
    client_id = store.create(WEB).client.client_id
    store.update(client_id, {}, is_disabled=True)
    assert store.find_active(client_id) is None
    assert store.find(client_id) is not None
    store.update(client_id, {}, is_disabled=False)
    assert store.find_active(client_id) is not None
