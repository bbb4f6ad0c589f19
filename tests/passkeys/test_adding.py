"""Adding a passkey: what is kept, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.accounts.models import Account
from oidc_server.database import db, transact
from oidc_server.factors import passkeys
from oidc_server.factors.passkeys.models import Passkey, UserHandle
from oidc_server.mail.models import OutboxMail
from oidc_server.sessions.models import Session
from tests.flows import Browser, Clock

from .authenticator import APPLE, BE, BS, EDDSA, ES256, RS256, UP, UV, cbor, decode, encode
from .people import Person

RECOVERY = "/account/factors/recovery-codes"


def kept(app: Flask, login: str = "alice") -> list[Any]:
    with app.app_context():
        account = accounts.find_by_login(login)
        assert account is not None
        return list(passkeys.store.list_of(account.id))


@pytest.mark.spec("WebAuthn §5.4")
def test_the_options_ask_for_what_stands_alone(person: Person) -> None:
    options, _ = person.creation_options()
    assert options["rp"] == {"id": "id.example.test", "name": "id.example.test"}
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [EDDSA, ES256, RS256]
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["excludeCredentials"] == []
    assert len(decode(options["challenge"])) >= 16


@pytest.mark.spec("WebAuthn §14.6.1")
def test_the_user_handle_is_random_and_stays(person: Person, app: Flask) -> None:
    first, second = (person.creation_options()[0]["user"] for _ in range(2))
    assert first == second
    assert len(decode(first["id"])) == 32
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
        assert alice.id.encode() not in decode(first["id"]) and bytes.fromhex(alice.id) not in decode(first["id"])
    assert (first["name"], first["displayName"]) == ("alice@example.test", "Alice Liddell")


def test_what_the_device_said_is_kept(person: Person, app: Flask) -> None:
    device = person.new_device(
        flags=UP | UV | BE | BS, counter=5, aaguid=APPLE, transports=["internal", "hybrid", "telepathy", "hybrid"]
    )
    assert person.add_passkey(device).location == RECOVERY
    (found,) = kept(app)
    assert found.credential_id == device.credential_id
    assert (found.sign_count, found.backup_eligible, found.backed_up) == (5, True, True)
    assert found.transports == ["hybrid", "internal"]
    assert (found.aaguid, found.name) == (APPLE, "Apple Passwords")
    assert found.last_used_at is None


@pytest.mark.parametrize(("sent", "name"), [("", "Passkey"), ("  My  phone ", "My phone"), ("电话", "电话")])
def test_a_passkey_has_a_name(person: Person, app: Flask, sent: str, name: str) -> None:
    person.add_passkey(name=sent)
    assert kept(app)[0].name == name


@pytest.mark.row("ID-03", "ID-05")
@pytest.mark.parametrize("name", ["x" * 65, "a\u202eb", "a\u200bb", "\x07"])
def test_a_name_that_nobody_can_read_is_refused(person: Person, app: Flask, name: str) -> None:
    response = person.add_passkey(name=name)
    assert (response.status_code, kept(app)) == (400, [])
    assert 'id="passkeys-alert"' in response.text


@pytest.mark.row("WB-02")
def test_markup_in_a_name_is_shown_as_it_is(person: Person) -> None:
    person.add_passkey(name="<script>alert(1)</script>{{7*7}}")
    page = person.browser.get("/account/passkeys").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
    assert "<script>alert" not in page


@pytest.mark.spec("WebAuthn §5.4")
def test_a_device_that_has_one_is_told_so(person: Person) -> None:
    person.add_passkey()
    options, _ = person.creation_options()
    assert options["excludeCredentials"] == [
        {"type": "public-key", "id": encode(person.device.credential_id), "transports": ["internal"]}
    ]


LIES: dict[str, Callable[[Person], dict[str, Any]]] = {
    "the origin of a stranger": lambda p: {"origin": "https://evil.example"},
    "another port": lambda p: {"origin": "https://id.example.test:8443"},
    "another RP id": lambda p: {"rp_id": "example.test"},
    "no user verification": lambda p: {"flags": UP},
    "nobody there": lambda p: {"flags": UV},
    "backed up although it cannot be": lambda p: {"flags": UP | UV | BS},
    "another ceremony": lambda p: {"client_data": {"type": "webauthn.get"}},
    "a frame of another site": lambda p: {"client_data": {"crossOrigin": True}},
    "another challenge": lambda p: {"client_data": {"challenge": encode(bytes(56))}},
    "an id that is too long": lambda p: {"credential_id": bytes(1024)},
}


@pytest.mark.spec("WebAuthn §7.1")
@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_as_it_must_be_is_not_kept(person: Person, app: Flask, lie: str) -> None:
    for name, value in LIES[lie](person).items():
        setattr(person.device, name, value)
    response = person.add_passkey()
    assert (response.status_code, kept(app)) == (400, [])
    assert 'id="passkeys-alert"' in response.text


def coordinates(x: bytes, y: bytes) -> dict[int, Any]:
    return {1: 2, 3: ES256, -1: 1, -2: x, -3: y}


KEYS: dict[str, bytes] = {
    "of ES384, which nobody asked for": cbor({1: 2, 3: -35, -1: 2, -2: bytes(48), -3: bytes(48)}),
    "of RS1": cbor({1: 3, 3: -65535, -1: b"\xc0" + bytes(255), -2: b"\x01\x00\x01"}),
    "without an algorithm": cbor({1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}),
    "not on the curve": cbor(coordinates(bytes(31) + b"\x01", bytes(31) + b"\x01")),
    "of texts": cbor({1: 2, 3: ES256, -1: 1, -2: "x", -3: "y"}),
    "without coordinates": cbor({1: 2, 3: ES256, -1: 1}),
    "short EdDSA": cbor({1: 1, 3: EDDSA, -1: 6, -2: bytes(31)}),
    "RSA of 1024 bits": cbor({1: 3, 3: RS256, -1: b"\xc1" + bytes(126) + b"\x01", -2: b"\x01\x00\x01"}),
    "RSA of 5000 bits": cbor({1: 3, 3: RS256, -1: b"\xc1" + bytes(623) + b"\x01", -2: b"\x01\x00\x01"}),
    "RSA with the exponent 1": cbor({1: 3, 3: RS256, -1: b"\xc1" + bytes(254) + b"\x01", -2: b"\x01"}),
    "a number": cbor(7),
    "nothing": b"",
    "cut off": cbor(coordinates(bytes(32), bytes(32)))[:20],
    "nested without end": b"\x81" * 4000,
}


@pytest.mark.spec("WebAuthn §7.1")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_verifies_nothing_is_not_kept(person: Person, app: Flask, key: str) -> None:
    response = person.add_passkey(cose=KEYS[key])
    assert (response.status_code, kept(app)) == (400, [])


@pytest.mark.row("HT-01")
@pytest.mark.parametrize("attestation", [b"", b"\xff", cbor({"fmt": "none"}), cbor(1), b"\xa1" * 100, bytes(3000)])
def test_what_is_no_attestation_is_not_kept(person: Person, app: Flask, attestation: bytes) -> None:
    response = person.add_passkey(attestation=attestation)
    assert (response.status_code, kept(app)) == (400, [])


def test_the_attestation_is_not_looked_at(person: Person, app: Flask) -> None:
    options, fields = person.creation_options()
    created = json.loads(person.device.create(options))
    honest = decode(created["response"]["attestationObject"])
    data = honest[honest.index(b"\x68authData") + 11 :]
    claimed = cbor({"fmt": "packed", "attStmt": {"alg": -7, "sig": b"nothing"}, "authData": data})
    created["response"]["attestationObject"] = encode(claimed)
    person.browser.post("/account/passkeys/add", fields | {"credential": json.dumps(created)})
    assert len(kept(app)) == 1


def test_a_challenge_is_good_for_one_passkey(person: Person, app: Flask) -> None:
    options, fields = person.creation_options()
    for device in (person.device, person.new_device()):
        last = person.browser.post("/account/passkeys/add", fields | {"credential": device.create(options)})
    assert (last.status_code, len(kept(app))) == (400, 1)


def test_a_challenge_for_signing_in_adds_nothing(person: Person, app: Flask) -> None:
    options, fields = person.creation_options()
    options["challenge"] = person.request_options()[0]["challenge"]
    created = person.device.create(options)
    assert person.browser.post("/account/passkeys/add", fields | {"credential": created}).status_code == 400
    assert kept(app) == []


def test_a_challenge_of_somebody_else_at_the_same_browser_adds_nothing(person: Person, app: Flask) -> None:
    options, _ = person.creation_options()
    page = person.browser.get("/login?prompt=login")
    assert person.browser.submit(page, username="bob", password="correct horse battery staple").status_code == 200
    fields = {"csrf_token": person.csrf_of("/account/passkeys")}
    created = person.device.create(options)
    assert person.browser.post("/account/passkeys/add", fields | {"credential": created}).status_code == 400
    assert kept(app) == kept(app, "bob") == []


@pytest.mark.spec("WebAuthn §7.1")
def test_a_credential_belongs_to_one_person(person: Person, app: Flask) -> None:
    person.add_passkey()
    bob = Person(app)
    bob.browser.sign_in("bob")
    copy = bob.new_device(credential_id=person.device.credential_id)
    response = bob.add_passkey(copy)
    assert (response.status_code, kept(app, "bob")) == (409, [])
    person.sign_out()
    assert person.sign_in().status_code == 303


@pytest.mark.row("ID-05")
def test_there_is_an_end_to_how_many(person: Person, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys.store, "MOST", 2)
    answers = [person.add_passkey(person.new_device()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 409]
    assert len(kept(app)) == 2


@pytest.mark.row("SE-12")
def test_adding_and_removing_need_a_fresh_sign_in(person: Person, app: Flask, clock: Clock) -> None:
    person.add_passkey()
    _, fields = person.creation_options()
    (mine,) = kept(app)
    clock.advance(16 * 60)
    again = "/login?then=/account/passkeys&prompt=login"
    assert person.browser.post("/account/passkeys/options", fields).location == again
    assert person.browser.post("/account/passkeys/add", fields | {"credential": "{}"}).location == again
    assert person.browser.post("/account/passkeys/remove", fields | {"passkey": mine.id}).location == again
    assert len(kept(app)) == 1
    page = person.browser.get("/account/passkeys").text
    assert 'id="passkey-again"' in page and 'id="passkey-form"' not in page


def test_a_session_that_added_a_passkey_has_two_factors(person: Person, app: Flask) -> None:
    person.add_passkey()
    with app.app_context():
        session = db.session.scalars(sa.select(Session)).one()
        assert (session.acr, session.amr) == ("2", ["pwd", "hwk", "user", "mfa"])


@pytest.mark.row("RC-06")
def test_the_owner_is_told_by_mail(person: Person, app: Flask) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id}
    assert person.browser.post("/account/passkeys/remove", fields).status_code == 303
    with app.app_context():
        mails = db.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at)).all()
        assert [(one.kind, one.recipient) for one in mails] == [
            ("factor_added", "alice@example.test"),
            ("factor_removed", "alice@example.test"),
        ]


@pytest.mark.row("WB-09")
@pytest.mark.parametrize("act", ["options", "add", "rename", "remove"])
def test_a_form_of_another_site_changes_nothing(person: Person, app: Flask, act: str) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    fields = {"passkey": mine.id, "name": "theirs", "credential": "{}"}
    assert person.browser.post(f"/account/passkeys/{act}", fields).status_code == 403
    token = {"csrf_token": person.csrf_of("/account/passkeys")}
    answer = person.browser.post(f"/account/passkeys/{act}", fields | token, headers={"Sec-Fetch-Site": "same-site"})
    assert answer.status_code == 403
    assert [one.name for one in kept(app)] == [mine.name]


def test_nobody_reads_or_changes_the_passkeys_of_somebody_else(person: Person, app: Flask) -> None:
    person.add_passkey(name="Alice's phone")
    (mine,) = kept(app)
    bob = Person(app)
    bob.browser.sign_in("bob")
    fields = {"csrf_token": bob.csrf_of("/account/passkeys"), "passkey": mine.id, "name": "Bob's"}
    assert "Alice" not in bob.browser.get("/account/passkeys").text
    assert bob.browser.post("/account/passkeys/rename", fields).status_code == 404
    assert bob.browser.post("/account/passkeys/remove", fields).status_code == 404
    assert [one.name for one in kept(app)] == ["Alice's phone"]


def test_without_a_session_the_way_leads_to_sign_in(browser: Browser) -> None:
    assert browser.get("/account/passkeys").location == "/login?then=/account/passkeys"


def test_a_passkey_gets_another_name(person: Person, app: Flask) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id, "name": "Work key"}
    assert person.browser.post("/account/passkeys/rename", fields).location == "/account/passkeys"
    assert [one.name for one in kept(app)] == ["Work key"]
    refused = person.browser.post("/account/passkeys/rename", fields | {"name": "\u200b"})
    assert (refused.status_code, [one.name for one in kept(app)]) == (400, ["Work key"])


def test_a_removed_passkey_opens_nothing(person: Person, app: Flask) -> None:
    person.add_passkey()
    person.add_passkey(person.new_device())
    (mine, other) = kept(app)
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id}
    assert person.browser.post("/account/passkeys/remove", fields).location == "/account/passkeys"
    assert [one.id for one in kept(app)] == [other.id]
    person.sign_out()
    assert person.sign_in().status_code == 401


@pytest.mark.spec("WebAuthn §5.1.10.3")
def test_the_page_tells_the_browser_which_passkeys_still_count(person: Person) -> None:
    person.add_passkey()
    page = person.browser.get("/account/passkeys").text
    assert re.search(r'data-accepted="([^"]*)"', page)[1] == encode(person.device.credential_id)  # type: ignore[index]
    assert re.search(r'data-user-id="([^"]*)"', page)[1] == encode(person.device.user_handle or b"")  # type: ignore[index]


def test_the_only_way_in_is_not_removed(person: Person, app: Flask) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    with app.app_context():
        account = accounts.find_by_login("alice")
        assert account is not None

        def forget_password() -> None:
            account.password_hash = None

        transact(forget_password)
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id}
    assert person.browser.post("/account/passkeys/remove", fields).status_code == 409
    assert len(kept(app)) == 1


def test_the_last_factor_stays_where_one_is_required(
    person: Person, app: Flask, make_app: Callable[..., Flask]
) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    person.app = strict = make_app(second_factor="required")
    cookies = person.browser.client._cookies
    person.browser = Browser(strict)
    person.browser.client._cookies = cookies
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id}
    assert person.browser.post("/account/passkeys/remove", fields).status_code == 409
    assert len(kept(app)) == 1


@pytest.mark.row("SE-07")
def test_other_sessions_end_with_it_if_that_is_chosen(person: Person, app: Flask) -> None:
    person.add_passkey()
    (mine,) = kept(app)
    first = person.browser
    person.sign_out()
    assert person.sign_in().status_code == 303
    elsewhere, person.browser = person.browser, first
    fields = {"csrf_token": person.csrf_of("/account/passkeys"), "passkey": mine.id, "others": "end"}
    assert person.browser.post("/account/passkeys/remove", fields).status_code == 303
    assert elsewhere.get("/account").status_code == 303
    assert first.get("/account").status_code == 200


@pytest.mark.row("ID-07")
def test_the_passkeys_go_with_the_account(person: Person, app: Flask) -> None:
    person.add_passkey()
    with app.app_context():
        transact(lambda: db.session.execute(sa.delete(Account).where(Account.username_key == "alice")))
        for table in (Passkey, UserHandle):
            assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    person.sign_out()
    assert person.sign_in().status_code == 401
