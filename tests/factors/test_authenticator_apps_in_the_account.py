"""The second step on the account pages: added, listed and removed by the owner alone, after a fresh sign-in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import factors
from oidc_server.database import db
from oidc_server.mail.models import OutboxMail

from ..flows import Browser, Clock
from .conftest import (
    account_id,
    form_with,
    give_password,
    give_phone,
    give_recovery_codes,
    is_signed_in,
    phone_of,
    submit,
)

PAGE = "/account/factors"


def factors_of(app: Flask, username: str = "alice") -> list[factors.Factor]:
    with app.app_context():
        return factors.of(account_id(username))


def mails(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.execute(sa.select(OutboxMail.kind, OutboxMail.recipient).order_by(OutboxMail.created_at))
        return [(row.kind, row.recipient) for row in rows]


def sign_in_with(browser: Browser, code: str) -> None:
    submit(browser, give_password(browser), "second-factor-form", code=code)
    assert is_signed_in(browser)


def test_an_app_is_added_and_its_codes_sign_in(app: Flask, alice: Browser, clock: Clock) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    phone = phone_of(page)
    page = submit(alice, page, "new-app-form", code=phone.code(), name="My phone")
    assert page.request.path == f"{PAGE}/recovery-codes"
    assert [(factor.kind, factor.name) for factor in factors_of(app)] == [("totp", "My phone")]
    assert "My phone" in alice.get(PAGE).text
    clock.advance(60)
    sign_in_with(Browser(app), phone.code())


def test_the_session_that_added_it_has_two_factors_from_then_on(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    submit(alice, page, "new-app-form", code=phone_of(page).code())
    assert 'id="consent-allow"' in alice.authorize(scope="openid").text


def test_recovery_codes_are_shown_once_and_work(app: Flask, alice: Browser, clock: Clock) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    page = submit(alice, page, "new-app-form", code=phone_of(page).code())
    page = submit(alice, page, "recovery-codes-form")
    codes = re.findall(r"<code>([0-9A-Z-]{14})</code>", page.text)
    assert len(set(codes)) == 10
    for path in (PAGE, f"{PAGE}/recovery-codes"):
        assert codes[0] not in alice.get(path).text
    assert "10 codes" in alice.get(PAGE).text
    other = Browser(app)
    submit(other, give_password(other), "recovery-code-form", code=codes[0])
    assert is_signed_in(other)
    assert "9 codes" in alice.get(PAGE).text


def test_a_wrong_code_adds_nothing_and_keeps_the_secret(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    failed = submit(alice, page, "new-app-form", code="000000", name="My phone")
    assert failed.status_code == 400 and phone_of(failed).secret == phone_of(page).secret
    assert 'value="My phone"' in failed.text and factors_of(app) == []


def test_the_picture_ends_after_a_quarter_of_an_hour(app: Flask, alice: Browser, clock: Clock) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    path = f"{page.request.path}?{page.request.query_string.decode()}"
    clock.advance(899)
    assert phone_of(alice.get(path)).secret == phone_of(page).secret
    clock.advance(2)
    assert alice.get(path).status_code == 303


@pytest.mark.row("SE-09")
def test_another_persons_picture_is_not_shown(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    bob = Browser(app)
    bob.sign_in("bob")
    path = f"{page.request.path}?{page.request.query_string.decode()}"
    assert bob.get(path).location == PAGE


@pytest.mark.parametrize("name", ["x" * 65, "a\u202eb", "\u200b"])
def test_a_name_that_hides_something_is_refused(app: Flask, alice: Browser, name: str) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    answer = submit(alice, page, "new-app-form", code=phone_of(page).code(), name=name)
    assert answer.status_code == 400 and factors_of(app) == []


@pytest.mark.row("WB-02")
def test_a_name_is_shown_as_text(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    submit(alice, page, "new-app-form", code=phone_of(page).code(), name="<b>{{7*7}}</b>")
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in alice.get(PAGE).text


def test_removing_the_last_one_ends_the_recovery_codes_and_the_question(app: Flask, clock: Clock) -> None:
    phone = give_phone(app)
    give_recovery_codes(app)
    alice = Browser(app)
    sign_in_with(alice, phone.code())
    (factor,) = factors_of(app)
    action, fields = form_with_action(alice.get(PAGE).text, factor.id)
    assert alice.follow(alice.post(action, data=fields)).status_code == 200
    assert factors_of(app) == []
    assert give_password(Browser(app)).request.path == "/account"


@pytest.mark.row("SE-12")
@pytest.mark.parametrize("act", ["app", "recovery-codes", "remove"])
def test_a_change_needs_a_fresh_sign_in(app: Flask, clock: Clock, act: str) -> None:
    phone = give_phone(app)
    alice = Browser(app)
    sign_in_with(alice, phone.code())
    page = alice.get(PAGE)
    (factor,) = factors_of(app)
    _, fields = form_with(page, "add-app-form")
    clock.advance(901)
    answer = alice.post(f"{PAGE}/{act}", data=fields | {"kind": "totp", "id": factor.id})
    assert answer.status_code == 303 and answer.location == "/login?then=/account/factors&prompt=login"
    assert factors_of(app) == [factor]
    assert 'id="factors-again"' in alice.get(PAGE).text


@pytest.mark.row("SE-10", "SE-12")
def test_a_password_alone_does_not_take_away_the_factor_that_was_added_since(app: Flask, alice: Browser) -> None:
    """A thief who signed in with the password a minute before the owner added a factor."""
    _, fields = form_with(alice.get(PAGE), "add-app-form")
    give_phone(app)
    (factor,) = factors_of(app)
    for act in ("remove", "app", "recovery-codes"):
        answer = alice.post(f"{PAGE}/{act}", data=fields | {"kind": "totp", "id": factor.id})
        assert answer.location == "/login?then=/account/factors&prompt=login"
    assert factors_of(app) == [factor]


@pytest.mark.row("SE-12")
def test_nobody_removes_the_factor_of_another(app: Flask, alice: Browser) -> None:
    give_phone(app, "bob")
    (bobs,) = factors_of(app, "bob")
    _, fields = form_with(alice.get(PAGE), "add-app-form")
    assert alice.post(f"{PAGE}/remove", data=fields | {"kind": "totp", "id": bobs.id}).status_code == 404
    assert factors_of(app, "bob") == [bobs]


def test_the_last_factor_stays_where_one_is_required(make_app: Callable[..., Flask]) -> None:
    app = make_app(second_factor="required")
    phone = give_phone(app)
    alice = Browser(app)
    sign_in_with(alice, phone.code())
    (factor,) = factors_of(app)
    action, fields = form_with_action(alice.get(PAGE).text, factor.id)
    assert alice.post(action, data=fields).status_code == 409
    assert factors_of(app) == [factor]


@pytest.mark.row("SE-07")
@pytest.mark.parametrize("chosen", [True, False])
def test_other_sessions_end_only_by_choice(app: Flask, alice: Browser, chosen: bool) -> None:
    other = Browser(app)
    other.sign_in("alice")
    page = submit(alice, alice.get(PAGE), "add-app-form")
    values = {"code": phone_of(page).code()} | ({"others": "end"} if chosen else {})
    submit(alice, page, "new-app-form", **values)
    assert is_signed_in(alice)
    assert is_signed_in(other) is not chosen


def test_each_change_is_told_by_mail(app: Flask, alice: Browser) -> None:
    page = submit(alice, alice.get(PAGE), "add-app-form")
    page = submit(alice, page, "new-app-form", code=phone_of(page).code())
    submit(alice, page, "recovery-codes-form")
    (factor,) = factors_of(app)
    action, fields = form_with_action(alice.get(PAGE).text, factor.id)
    alice.post(action, data=fields)
    assert mails(app) == [
        ("factor_added", "alice@example.test"),
        ("factor_added", "alice@example.test"),
        ("factor_removed", "alice@example.test"),
    ]


def test_recovery_codes_need_a_factor(app: Flask, alice: Browser) -> None:
    _, fields = form_with(alice.get(PAGE), "add-app-form")
    assert alice.get(f"{PAGE}/recovery-codes").location == PAGE
    assert alice.post(f"{PAGE}/recovery-codes", data=fields).location == PAGE


@pytest.mark.row("WB-10", "WB-09")
def test_looking_changes_nothing_and_forms_need_their_token(app: Flask, alice: Browser, phone: object) -> None:
    before = factors_of(app)
    for path in (PAGE, f"{PAGE}/app", f"{PAGE}/recovery-codes"):
        alice.get(path)
    for act in ("app", "recovery-codes", "remove"):
        assert alice.post(f"{PAGE}/{act}", data={"kind": "totp", "id": before[0].id}).status_code == 403
    assert factors_of(app) == before


def form_with_action(text: str, factor_id: str) -> tuple[str, dict[str, str]]:
    """The form that removes this factor."""
    from ..flows import form_of

    found = re.search(rf'<details class="ask" id="remove-{factor_id}">.*?</details>', text, re.S)
    assert found, text
    return form_of(found[0])
