"""What people allowed apps: remembered, added to, told, and forgotten."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server import consents
from oidc_server.accounts import store as accounts
from oidc_server.database import transact
from oidc_server.resources import store as resources
from tests.conftest import API
from tests.flows import Clock


@pytest.fixture
def alice_id(context: None) -> str:
    account = accounts.find_by_login("alice")
    assert account is not None
    return account.id


@pytest.fixture
def bob_id(context: None) -> str:
    account = accounts.find_by_login("bob")
    assert account is not None
    return account.id


def allow(account_id: str, client_id: str = "web", scope: str = "openid email", resource: str | None = None) -> None:
    transact(lambda: consents.remember(account_id, client_id, scope.split(), [resource] if resource else []))


def test_what_was_allowed_covers_that_and_less_but_no_more_and_nobody_else(alice_id: str, bob_id: str) -> None:
    allow(alice_id, resource=API)
    assert consents.covers(alice_id, "web", ["openid"], [])
    assert consents.covers(alice_id, "web", ["email", "openid"], [API])
    assert not consents.covers(alice_id, "web", ["openid", "phone"], [])
    assert not consents.covers(alice_id, "web", ["openid"], ["https://elsewhere.example/"])
    assert not consents.covers(alice_id, "other", ["openid"], [])
    assert not consents.covers(bob_id, "web", ["openid"], [])


def test_allowing_more_adds_to_it_and_moves_its_time_and_the_same_again_does_not(alice_id: str, clock: Clock) -> None:
    allow(alice_id)
    [first] = consents.list_for(alice_id)
    at = first.granted_at
    clock.advance(60)
    allow(alice_id, scope="openid")
    assert consents.list_for(alice_id)[0].granted_at == at
    allow(alice_id, scope="phone")
    [now] = consents.list_for(alice_id)
    assert now.granted_at >= at + 60
    assert now.scope == ["email", "openid", "phone"]


@pytest.mark.row("CO-05")
def test_one_that_is_removed_is_gone_and_the_others_stay(alice_id: str, bob_id: str) -> None:
    allow(alice_id)
    allow(alice_id, "other")
    allow(bob_id)
    assert transact(lambda: consents.remove(alice_id, "web"))
    assert not transact(lambda: consents.remove(alice_id, "web"))
    assert not consents.covers(alice_id, "web", ["openid"], [])
    assert [consent.client_id for consent in consents.list_for(alice_id)] == ["other"]
    assert [consent.client_id for consent in consents.list_for(bob_id)] == ["web"]
    transact(lambda: consents.remove_all(alice_id))
    assert consents.list_for(alice_id) == []
    assert len(consents.list_for(bob_id)) == 1


def test_the_one_allowed_last_comes_first(alice_id: str, clock: Clock) -> None:
    for client_id in ("web", "spa", "other"):
        allow(alice_id, client_id)
        clock.advance(1)
    assert [consent.client_id for consent in consents.list_for(alice_id)] == ["other", "spa", "web"]


def test_each_scope_has_words_and_none_is_left_out(app: Flask, alice_id: str) -> None:
    from oidc_server.consents.words import texts

    account = accounts.find(alice_id)
    with app.test_request_context():
        resource = resources.find(API)
        assert resource is not None
        names = ["openid", "profile", "email", "address", "phone", "roles", "groups", "offline_access", "photos:read"]
        told = texts(account, names, [resource])
        assert [text.name for text in told] == names[1:]
        assert told[-1].title == "See your photos" and told[-1].value == "Photo API"
        [alone] = texts(account, ["openid"], [])
        assert (alone.title, alone.value) == ("Know that it is you", "alice")
        [kept] = [text for text in told if text.link]
        assert (kept.name, kept.link) == ("offline_access", "/account/apps")
