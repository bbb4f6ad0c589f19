"""Browser sessions: new at every sign-in, dead when they should be, and worth nothing as a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import create_app
from oidc_server.accounts import store as accounts
from oidc_server.database import db
from oidc_server.sessions.models import Session
from oidc_server.settings import SettingsError
from tests import flows
from tests.flows import Browser, Clock

COOKIE = "__Host-oidc_session"


def cookie_of(browser: Browser) -> str | None:
    found = browser.client.get_cookie(COOKIE, domain="id.example.test")
    return found.value if found else None


def is_signed_in(browser: Browser) -> bool:
    return "code" in flows.answer_of(browser.authorize(scope="openid", prompt="none"))


@pytest.fixture
def consented(alice: Browser) -> Browser:
    alice.obtain_code(scope="openid")
    return alice


@pytest.mark.row("SE-02")
def test_the_identifier_changes_at_every_sign_in_and_the_old_one_is_dead(app: Flask, consented: Browser) -> None:
    before = cookie_of(consented)
    consented.submit(
        consented.authorize(prompt="login", scope="openid"), username="alice", password="correct horse battery staple"
    )
    after = cookie_of(consented)
    assert before and after and before != after
    old = Browser(app)
    old.client.set_cookie(COOKIE, before, domain="id.example.test", secure=True)
    assert not is_signed_in(old)
    assert is_signed_in(consented)


@pytest.mark.row("SE-02")
def test_a_cookie_set_before_the_sign_in_is_not_taken_over(app: Flask) -> None:
    browser = Browser(app)
    browser.client.set_cookie(COOKIE, "fixed-by-an-attacker", domain="id.example.test", secure=True)
    browser.sign_in()
    assert cookie_of(browser) != "fixed-by-an-attacker"


@pytest.mark.row("SE-05")
@pytest.mark.parametrize("value", ["x", "a" * 8000, "%00", "' OR 1=1", "é"])
def test_a_forged_cookie_is_nobody(app: Flask, value: str) -> None:
    browser = Browser(app)
    browser.client.set_cookie(COOKIE, value, domain="id.example.test", secure=True)
    assert not is_signed_in(browser)


@pytest.mark.row("SE-06")
def test_an_idle_session_ends(consented: Browser, clock: Clock) -> None:
    clock.advance(8 * 3600 - 60)
    assert is_signed_in(consented)
    clock.advance(8 * 3600 - 60)
    assert is_signed_in(consented), "the visit before counted"
    clock.advance(8 * 3600 + 1)
    assert not is_signed_in(consented)


@pytest.mark.row("SE-06")
def test_no_visit_moves_the_absolute_end(consented: Browser, clock: Clock) -> None:
    for _ in range(27):
        clock.advance(6 * 3600)
        assert is_signed_in(consented)
    clock.advance(6 * 3600)
    assert not is_signed_in(consented)


def disable(account_id: str) -> None:
    accounts.disable(account_id)


def change_password(account_id: str) -> None:
    accounts.set_password(account_id, "an entirely different passphrase")


@pytest.mark.row("SE-07", "SE-14")
@pytest.mark.parametrize("change", [disable, change_password])
def test_disabling_and_a_new_password_end_the_session(
    app: Flask, consented: Browser, change: Callable[[str], None], clock: Clock
) -> None:
    clock.advance(1)
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None
        change(account.id)
    assert not is_signed_in(consented)


@pytest.mark.row("LS-03", "SE-05")
def test_the_table_holds_no_cookie(app: Flask, alice: Browser) -> None:
    with app.app_context():
        rows = [vars(row) for row in db.session.scalars(sa.select(Session))]
    assert cookie_of(alice) not in repr(rows)


@pytest.mark.row("SE-16")
@pytest.mark.parametrize("secret", ["", "short", "a" * 40])
def test_a_weak_secret_key_refuses_to_start_in_production(secret: str, tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="OIDC_SECRET_KEY"):
        create_app(environment="production", issuer="https://id.example.test", secret_key=secret)


@pytest.mark.row("SE-17")
def test_a_fresh_install_has_nobody_who_could_sign_in(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path}/fresh.sqlite3", keys_dir=str(tmp_path / "keys"))
    app.test_cli_runner().invoke(args=["db", "upgrade"])
    with app.app_context():
        assert accounts.list_accounts() == []
