"""A secret is shown once, kept as a hash, and exchanged without a gap."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import database, remembered
from oidc_server.clients import secret, store
from oidc_server.clients.models import ClientSecret
from oidc_server.clients.store import Registered

from ..flows import Clock
from .asking import ask, assert_unknown, asserted, assertion, basic, make

DAY = 86400.0
METHODS = pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])


def is_accepted(app: Flask, made: Registered) -> bool:
    """Whether the secret of this registration still opens the door of its client."""
    client_id = made.client.client_id
    match made.client.token_endpoint_auth_method:
        case "client_secret_basic":
            response = ask(app, "/token", {}, basic(client_id, made.client_secret))
        case "client_secret_post":
            response = ask(app, "/token", {"client_id": client_id, "client_secret": str(made.client_secret)})
        case _:
            response = ask(app, "/token", asserted(assertion(made)))
    if response.status_code != 200:
        assert_unknown(response, with_header="WWW-Authenticate" in response.headers)
    return response.status_code == 200


def rows(app: Flask) -> list[tuple[Any, ...]]:
    with app.app_context():
        return [tuple(row) for row in database.db.session.execute(sa.text("SELECT * FROM client_secrets")).all()]


def test_a_secret_has_256_bits_and_needs_no_encoding() -> None:
    made = {secret.make() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 43 and one.replace("-", "").replace("_", "").isalnum() for one in made)


@METHODS
@pytest.mark.row("CA-15")
def test_the_database_does_not_hold_a_secret(app: Flask, method: str) -> None:
    made = make(app, method)
    assert made.client_secret is not None
    held = repr(rows(app))
    assert made.client_secret not in held
    assert repr(made.client_secret.encode())[2:-1] not in held
    assert hashlib.sha256(made.client_secret.encode()).hexdigest() in held
    sealed = [held.sealed for held in made.client.secrets]
    assert (sealed[0] is not None) == (method == "client_secret_jwt")


@pytest.mark.row("CA-15")
def test_a_sealed_secret_opens_for_its_client_and_key_only(app: Flask) -> None:
    settings = app.extensions["oidc_server"].settings
    sealed = secret.seal("a secret", "one", settings)
    assert secret.unseal(sealed, "one", settings) == "a secret"
    assert secret.unseal(sealed, "two", settings) is None
    assert secret.unseal(sealed[:-1] + b"x", "one", settings) is None
    changed = dataclasses.replace(settings, secret_key="another-" * 8)
    assert secret.unseal(sealed, "one", changed) is None
    fallback = dataclasses.replace(settings, secret_key="another-" * 8, secret_key_fallbacks=(settings.secret_key,))
    assert secret.unseal(sealed, "one", fallback) == "a secret"


@METHODS
@pytest.mark.row("CA-20")
def test_two_secrets_are_good_while_one_is_exchanged(app: Flask, clock: Clock, method: str) -> None:
    old = make(app, method)
    with app.app_context():
        new = store.rotate_secret(old.client.client_id, old_expires_in=7 * DAY)
    assert new.client_secret != old.client_secret
    assert is_accepted(app, old) and is_accepted(app, new)
    clock.advance(7 * DAY - 60)
    assert is_accepted(app, old) and is_accepted(app, new)
    clock.advance(61)
    assert not is_accepted(app, old)
    assert is_accepted(app, new)


@METHODS
@pytest.mark.row("CA-20")
def test_a_lost_secret_can_be_ended_here_at_once_and_on_every_worker_within_a_second(
    app: Flask, make_app: Callable[..., Flask], method: str
) -> None:
    worker = make_app(database_url=str(app.extensions["oidc_server"].settings.database_url))
    old = make(app, method)
    assert is_accepted(worker, old)
    with app.app_context():
        new = store.rotate_secret(old.client.client_id, old_expires_in=0)
    assert not is_accepted(app, old)
    time.sleep(remembered.SECONDS)
    for one in (app, worker):
        assert not is_accepted(one, old)
        assert is_accepted(one, new)


@pytest.mark.row("CA-20")
def test_no_more_than_two_secrets_are_ever_live(app: Flask) -> None:
    made = [make(app)]
    with app.app_context():
        made += [store.rotate_secret(made[0].client.client_id) for _ in range(3)]
    assert [is_accepted(app, one) for one in made] == [False, False, True, True]
    assert len(rows(app)) == len({row[1] for row in rows(app)}) + 1


def test_rotating_does_not_prolong_a_secret_that_is_about_to_end(app: Flask, clock: Clock) -> None:
    first = make(app)
    with app.app_context():
        second = store.rotate_secret(first.client.client_id, old_expires_in=60)
        store.rotate_secret(first.client.client_id, old_expires_in=60)
        third = store.rotate_secret(first.client.client_id, old_expires_in=7 * DAY)
    clock.advance(61)
    assert not is_accepted(app, first) and not is_accepted(app, second)
    assert is_accepted(app, third)


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_a_client_without_secret_has_none_to_rotate(app: Flask, method: str) -> None:
    made = make(app, method)
    with app.app_context(), pytest.raises(store.NoSecret):
        store.rotate_secret(made.client.client_id)


@pytest.mark.row("CA-05", "DR-11")
def test_another_method_makes_another_secret_and_ends_the_old_ones(app: Flask) -> None:
    old = make(app, "client_secret_post")
    client_id = old.client.client_id
    with app.app_context():
        new = store.update(client_id, {"token_endpoint_auth_method": "client_secret_jwt"})
    assert new.client_secret not in (None, old.client_secret)
    assert is_accepted(app, new)
    assert_unknown(ask(app, "/token", {"client_id": client_id, "client_secret": str(old.client_secret)}))
    with app.app_context():
        changes = {"token_endpoint_auth_method": "none", "grant_types": ["authorization_code"]}
        public = store.update(client_id, changes)
    assert public.client_secret is None
    assert not [row for row in rows(app) if row[1] == client_id]


def test_an_update_of_something_else_keeps_the_secret(app: Flask) -> None:
    made = make(app)
    with app.app_context():
        assert store.update(made.client.client_id, {"client_name": "Photos"}).client_secret is None
    assert is_accepted(app, made)


def test_the_last_use_of_a_secret_is_seen_to_the_hour(app: Flask, clock: Clock) -> None:
    made = make(app)

    def last_used_at() -> float | None:
        with app.app_context():
            found = store.find(made.client.client_id)
            assert found is not None
            return found.secrets[0].last_used_at

    assert last_used_at() is None
    assert is_accepted(app, made)
    first = last_used_at()
    assert first is not None
    clock.advance(60)
    assert is_accepted(app, made)
    assert last_used_at() == first
    clock.advance(3600)
    assert is_accepted(app, made)
    later = last_used_at()
    assert later is not None and later > first


def test_ended_secrets_are_cleared_away(app: Flask, clock: Clock) -> None:
    made = make(app)
    with app.app_context():
        store.rotate_secret(made.client.client_id, old_expires_in=60)
        clock.advance(61)
        store.purge_secrets()
        query = (
            sa.select(sa.func.count()).select_from(ClientSecret).where(ClientSecret.client_id == made.client.client_id)
        )
        assert database.db.session.scalar(query) == 1


def test_deleting_a_client_deletes_its_secrets(app: Flask) -> None:
    made = make(app)
    with app.app_context():
        store.delete(made.client.client_id)
    assert not [row for row in rows(app) if row[1] == made.client.client_id]
