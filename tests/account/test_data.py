"""A copy of everything, and the end of everything."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server import mail
from oidc_server.accounts import store as accounts
from oidc_server.database import Base, db, transact
from tests import flows
from tests.conftest import PASSWORD
from tests.flows import Browser, Clock

from .forms import account_of, send, token_of

PATH, EXPORT, DELETE = "/account/data", "/account/data/export", "/account/data/delete"


def export(browser: Browser) -> TestResponse:
    return send(browser, PATH, EXPORT)


def delete(browser: Browser, password: str = PASSWORD) -> TestResponse:
    return send(browser, DELETE, password=password)


def test_the_copy_is_a_file_with_everything_that_there_is(app: Flask, alice: Browser, phone: Browser) -> None:
    alice.obtain_tokens(scope="openid email offline_access")
    answer = export(alice)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="account-')
    assert answer.headers["Cache-Control"] == "no-store"
    copy = json.loads(answer.text)
    account = account_of(app)
    assert copy["account"]["sub"] == account.id
    assert copy["claims"]["name"] == "Alice Liddell" and copy["claims"]["roles"] == ["editor"]
    assert {session["network"] for session in copy["sessions"]} == {"127.0.0.1", "203.0.113.9"}
    assert [consent["client_id"] for consent in copy["consents"]] == ["web"]
    assert copy["grants"][0]["scope"] == ["openid", "email", "offline_access"]
    assert {row["event"] for row in copy["activity"]} >= {"sign_in.ok", "consent.given", "account.exported"}
    assert len(copy["known_devices"]) == 2


#: What the copy calls each table that holds something of a person.
PARTS = {
    "sessions": "sessions",
    "consents": "consents",
    "token_families": "grants",
    "known_devices": "known_devices",
    "activity": "activity",
    "outbox": "mails",
    "totp_secrets": "second_factors",
    "passkeys": "second_factors",
    "recovery_codes": "recovery_codes_left",
    "account_roles": "roles_at_clients",
    "user_handles": "",  # random, and says nothing
}


def tables_of_people() -> set[str]:
    return {table.name for table in Base.metadata.sorted_tables if "account_id" in table.columns}


def test_a_new_table_about_people_has_a_place_in_the_copy(alice: Browser) -> None:
    assert tables_of_people() == set(PARTS)
    copy = json.loads(export(alice).text)
    assert {part for part in PARTS.values() if part} <= copy.keys()


@pytest.mark.row("LS-02", "LS-03")
def test_the_copy_holds_no_secret_and_no_hash(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    text = export(alice).text
    account = account_of(app)
    cookie = alice.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert account.password_hash and cookie
    secrets = [
        PASSWORD,
        account.password_hash,
        cookie.value,
        *(str(tokens[name]) for name in tokens if "token" in name),
    ]
    with app.app_context():
        for column in ("sessions.cookie_hash", "token_families.refresh_hash", "known_devices.device_hash"):
            table, name = column.split(".")
            secrets += db.session.scalars(sa.text(f"select {name} from {table} where {name} is not null")).all()
    for secret in secrets:
        if secret != "Bearer":
            assert secret not in text
    assert "hash" not in text and "secret" not in text


@pytest.mark.row("SE-12")
@pytest.mark.parametrize("path", [EXPORT, DELETE])
def test_neither_is_given_to_an_open_browser_alone(app: Flask, alice: Browser, clock: Clock, path: str) -> None:
    fields = token_of(alice, DELETE if path == DELETE else PATH, path)
    clock.advance(15 * 60 + 1)
    answer = alice.post(path, data=fields | {"password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/login?then=/account/data&prompt=login")
    assert account_of(app)


def test_the_page_says_what_will_be_lost_and_offers_to_stay(alice: Browser) -> None:
    alice.obtain_tokens(scope="openid")
    text = alice.get(DELETE).text
    assert "cannot be undone" in text
    assert "The web app" in text
    assert 'id="delete-cancel"' in text


@pytest.mark.row("PW-11", "SE-12")
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nothing_is_deleted_without_the_password(app: Flask, alice: Browser, password: str) -> None:
    answer = delete(alice, password)
    assert answer.status_code == 403
    assert "Nothing was deleted." in answer.text
    assert account_of(app).is_active
    assert alice.get("/account").status_code == 200


@pytest.mark.row("SE-07", "ID-07")
def test_nothing_of_a_deleted_person_is_left(
    app: Flask, alice: Browser, phone: Browser, bob: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="oidc_server.audit")
    held = [alice.obtain_tokens(scope="openid profile"), phone.obtain_tokens(scope="openid offline_access")]
    code = phone.obtain_code(scope="openid", client_id="other")
    with app.app_context():
        transact(
            lambda: mail.send(
                "password_changed",
                "alice@example.test",
                language="en",
                account_id=account_of(app).id,
                at=0,
                network=None,
            )
        )
    account_id = account_of(app).id
    his = rows_of(app, account_of(app, "bob").id)
    answer = delete(alice)
    assert answer.status_code == 200
    assert 'id="account-deleted"' in answer.text
    assert rows_of(app, account_id) == {}
    assert rows_of(app, account_of(app, "bob").id) == his
    with app.app_context():
        dump = repr([db.session.execute(sa.select(table)).all() for table in person_tables()])
    for trace in (account_id, "alice", "Alice", "Liddell", "203.0.113.9"):
        assert trace not in dump
    for browser in (alice, phone):
        assert browser.get("/account").status_code == 303
    for tokens in held:
        assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
        assert flows.userinfo(app, tokens["access_token"]).status_code == 401
        assert flows.introspect(app, tokens["access_token"], client_id="web") == {"active": False}
    assert flows.redeem(app, code, client_id="other").status_code == 400
    [line] = [record.getMessage() for record in caplog.records if "account.deleted" in record.getMessage()]
    assert account_id in line and "alice" not in line


def rows_of(app: Flask, account_id: str) -> dict[str, int]:
    with app.app_context():
        counted = {
            table.name: db.session.scalar(
                sa.select(sa.func.count()).select_from(table).where(table.c.account_id == account_id)
            )
            for table in Base.metadata.sorted_tables
            if "account_id" in table.columns
        }
    return {name: count for name, count in counted.items() if count}


def person_tables() -> list[sa.Table]:
    """Every table but that of short-lived values, which end by themselves."""
    return [table for table in Base.metadata.sorted_tables if table.name != "short_lived_values"]


def test_whatever_belongs_to_an_account_goes_with_it() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name == "account_id" and table.name != "outbox":
                [key] = column.foreign_keys
                assert (str(key.column), key.ondelete) == ("accounts.id", "CASCADE"), table.name


@pytest.mark.row("ID-07")
def test_the_name_is_free_again_but_the_identifier_never(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    before = account_of(app).id
    delete(alice)
    with app.app_context():
        accounts.create("alice", PASSWORD, email="alice@example.test")
    after = account_of(app)
    assert after.id != before
    assert flows.refresh(app, tokens["refresh_token"]).status_code == 400
    fresh = Browser(app)
    fresh.sign_in("alice")
    assert "No app is connected" in fresh.get("/account/apps").text
    assert flows.claims_of(fresh.obtain_tokens(scope="openid")["id_token"])["sub"] == after.id


def test_a_form_that_is_sent_again_deletes_nobody_else(app: Flask, alice: Browser, bob: Browser) -> None:
    fields = token_of(alice, DELETE, DELETE) | {"password": PASSWORD}
    alice.post(DELETE, data=fields)
    again = alice.post(DELETE, data=fields)
    assert (again.status_code, again.location) == (303, "/login?then=/account/data")
    assert account_of(app, "bob").is_active
