"""Which claims a scope stands for, and their types."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_server.accounts import ClaimRefused, claims_for, store
from oidc_server.accounts.claims import CLAIMS_OF_SCOPE, names_of, standard_claims

from .conftest import PASSWORD


@pytest.mark.spec("OIDC Core §5.4")
def test_each_scope_stands_for_its_claims(context: None) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None

    for scope, names in CLAIMS_OF_SCOPE.items():
        assert set(claims_for(alice, {scope})) == set(names), scope
    assert claims_for(alice, {"openid", "offline_access", "photos:read"}) == {}


@pytest.mark.spec("OIDC Core §5.1")
def test_claims_have_the_types_of_the_specification(context: None) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None
    claims = claims_for(alice, CLAIMS_OF_SCOPE.keys())

    assert claims["updated_at"] == int(alice.updated_at)
    assert type(claims["updated_at"]) is int
    assert claims["email_verified"] is True
    assert claims["phone_number_verified"] is True
    assert claims["address"] == {"formatted": "Deanery, Oxford", "locality": "Oxford", "country": "GB"}
    assert claims["roles"] == ["editor"]
    assert claims["groups"] == ["photographers"]
    assert claims["preferred_username"] == "alice"
    strings = set(claims) - {"updated_at", "email_verified", "phone_number_verified", "address", "roles", "groups"}
    assert all(isinstance(claims[name], str) for name in strings)


@pytest.mark.spec("OIDC Core §5.3.2")
def test_what_is_not_known_is_left_out_rather_than_empty(context: None) -> None:
    plain = store.create("plain", PASSWORD, claims={"name": "", "address": {}, "website": None})

    assert set(claims_for(plain, CLAIMS_OF_SCOPE.keys())) == {"preferred_username", "updated_at"}


def test_an_unverified_address_says_so(context: None) -> None:
    bob = store.find_by_login("bob")
    assert bob is not None

    assert claims_for(bob, {"email"}) == {"email": "bob@example.test", "email_verified": False}


@pytest.mark.spec("OIDC Core §5.5")
@pytest.mark.parametrize("wish", [None, {"essential": True}, {"value": "somebody else"}, {"values": ["a", "b"]}])
def test_a_claim_asked_for_by_name_comes_without_its_scope(context: None, wish: Any) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None

    assert claims_for(alice, {"openid"}, {"given_name": wish}) == {"given_name": "Alice"}
    assert claims_for(alice, {"openid"}, {"unknown": wish, "http://example.test/x": wish}) == {}


def test_roles_groups_and_secrets_are_not_had_by_naming_them(context: None) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None
    wanted = dict.fromkeys(["roles", "groups", "password_hash", "id", "disabled_at", "claims", "username_key"])

    assert claims_for(alice, {"openid"}, wanted) == {}


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "x"},
        {"email": "x@example.test"},
        {"email_verified": True},
        {"roles": ["admin"]},
        {"updated_at": 1},
        {"is_admin": True},
        {"name": 1},
        {"name": ["a"]},
        {"name": "a\nb"},
        {"name": "a\u202eb"},
        {"name": "x" * 1001},
        {"picture": "javascript:alert(1)"},
        {"website": "data:text/html,x"},
        {"profile": "http://["},
        {"birthdate": "4 May 1852"},
        {"birthdate": "1852-13-01"},
        {"phone_number_verified": "true", "phone_number": "+1"},
        {"phone_number_verified": True},
        {"address": "Oxford"},
        {"address": {"planet": "Earth"}},
        {"address": {"country": 44}},
    ],
)
def test_a_claim_of_the_wrong_name_or_type_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(ClaimRefused):
        standard_claims(claims)


@pytest.mark.parametrize(
    "claims", [{"birthdate": "0000-05-04"}, {"birthdate": "1852"}, {"address": {"formatted": "1 High St\nOxford"}}]
)
def test_what_the_specification_allows_is_kept(claims: dict[str, Any]) -> None:
    assert standard_claims(claims) == claims


@pytest.mark.parametrize("names", [[""], [" "], ["a\nb"], ["x" * 101], [1], [f"role{number}" for number in range(201)]])
def test_roles_that_cannot_be_shown_or_carried_are_refused(names: list[Any]) -> None:
    with pytest.raises(ClaimRefused):
        names_of("roles", names)


def test_a_role_given_twice_is_kept_once() -> None:
    assert names_of("roles", ["b", "a", "b"]) == ["b", "a"]
