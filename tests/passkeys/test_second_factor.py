"""A passkey after the password, and in the middle of a session that an app asks more of."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oidc_server.accounts import store as accounts
from oidc_server.factors import passkeys
from tests.conftest import PASSWORD
from tests.flows import Clock, claims_of

from .authenticator import BE, BS, UP, UV, encode
from .people import Person


@pytest.fixture
def careful(person: Person) -> Person:
    """Alice with a passkey, signed out."""
    person.add_passkey()
    person.sign_out()
    return person


def give_password(person: Person) -> dict[str, str]:
    """The right password; the fields by which the second factor is found."""
    page = person.browser.get("/login")
    response = person.browser.submit(page, follow=False, username="alice", password=PASSWORD)
    assert response.location.startswith("/login/second-factor?pending="), response.location
    return fields_of(person, response.location)


def fields_of(person: Person, location: str) -> dict[str, str]:
    named = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    return named | {"way": "second-factor", "csrf_token": person.csrf_of(location)}


def answer(person: Person, fields: dict[str, str]) -> TestResponse:
    options = person.browser.post("/login/passkey/options", fields)
    assert options.status_code == 200, options.text
    return person.send(fields, person.device.get(options.json))


def leads_out(response: TestResponse) -> bool:
    """Nothing but the way to the beginning."""
    return response.status_code == 303 and urlsplit(response.location).path == "/login"


def test_the_password_alone_opens_no_session(careful: Person) -> None:
    give_password(careful)
    assert careful.browser.get("/account").status_code == 303


@pytest.mark.spec("RFC 8176 §2")
@pytest.mark.parametrize(
    ("flags", "amr"),
    [(UP, ["pwd", "hwk", "user", "mfa"]), (UP | UV, ["pwd", "hwk", "user", "mfa"])],
    ids=["touched", "verified"],
)
def test_a_passkey_after_the_password_signs_in(careful: Person, flags: int, amr: list[str]) -> None:
    careful.device.flags = flags
    response = answer(careful, give_password(careful))
    assert (response.status_code, response.location) == (303, "/account")
    claims = claims_of(careful.browser.obtain_tokens()["id_token"])
    assert (claims["acr"], claims["amr"]) == ("2", amr)


def test_a_passkey_that_is_copied_says_so(person: Person) -> None:
    person.device.flags = UP | UV | BE | BS
    person.add_passkey()
    person.sign_out()
    answer(person, give_password(person))
    assert claims_of(person.browser.obtain_tokens()["id_token"])["amr"] == ["pwd", "swk", "user", "mfa"]


@pytest.mark.spec("WebAuthn §5.5")
def test_the_options_after_the_password_name_the_persons_passkeys(careful: Person) -> None:
    options = careful.browser.post("/login/passkey/options", give_password(careful)).json
    assert options["allowCredentials"] == [
        {"type": "public-key", "id": encode(careful.device.credential_id), "transports": ["internal"]}
    ]
    assert options["userVerification"] == "preferred"


@pytest.mark.row("SE-09")
def test_the_passkey_of_somebody_else_is_no_second_factor(careful: Person, app: Flask) -> None:
    bob = Person(app)
    bob.browser.sign_in("bob")
    bob.add_passkey()
    fields = give_password(careful)
    options = careful.browser.post("/login/passkey/options", fields).json
    refused = careful.send(fields, bob.device.get(options))
    assert refused.status_code == 401
    assert 'id="passkey-alert"' in refused.text and 'id="passkey-form"' in refused.text
    assert careful.browser.get("/account").status_code == 303
    assert answer(careful, fields).status_code == 303


@pytest.mark.row("SE-09")
def test_a_challenge_of_one_step_is_of_no_use_in_the_other(careful: Person) -> None:
    fields = give_password(careful)
    alone, alone_fields = careful.request_options()
    second = careful.browser.post("/login/passkey/options", fields).json
    assert careful.send(fields, careful.device.get(alone)).status_code == 401
    assert careful.send(alone_fields, careful.device.get(second)).status_code == 401
    assert careful.browser.get("/account").status_code == 303


@pytest.mark.row("SE-09")
def test_a_touch_alone_does_not_pass_by_leaving_the_password_out(careful: Person) -> None:
    careful.device.flags = UP
    fields = give_password(careful)
    options = careful.browser.post("/login/passkey/options", fields).json
    credential = careful.device.get(options)
    alone = {"csrf_token": fields["csrf_token"]}
    assert careful.send(alone, credential).status_code == 401
    assert careful.browser.get("/account").status_code == 303


@pytest.mark.row("SE-09")
def test_a_pending_sign_in_is_of_one_browser_and_good_once(careful: Person) -> None:
    fields = give_password(careful)
    thief = Person(careful.app)
    stolen = fields | {"csrf_token": thief.csrf_of("/login")}
    assert leads_out(thief.browser.post("/login/passkey/options", stolen))
    assert answer(careful, fields).status_code == 303
    assert leads_out(careful.browser.post("/login/passkey/options", fields))


@pytest.mark.row("SE-06")
def test_a_pending_sign_in_ends(careful: Person, clock: Clock) -> None:
    fields = give_password(careful)
    clock.advance(601)
    assert leads_out(careful.browser.post("/login/passkey/options", fields))


@pytest.mark.row("SE-14")
def test_a_person_who_was_disabled_in_between_stays_outside(careful: Person, app: Flask) -> None:
    fields = give_password(careful)
    options = careful.browser.post("/login/passkey/options", fields).json
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
        accounts.disable(alice.id)
    assert leads_out(careful.send(fields, careful.device.get(options)))
    assert careful.browser.get("/account").status_code == 303


@pytest.mark.row("SE-10")
def test_a_session_of_the_password_is_raised_by_a_passkey(person: Person, app: Flask) -> None:
    """Alice signed in with the password before she had a passkey; an app asks for two factors."""
    elsewhere = Person(app)
    elsewhere.browser.sign_in("alice")
    person.add_passkey()
    response = elsewhere.browser.authorize(follow=False, acr_values="2")
    while not response.location.startswith("/login/second-factor"):
        response = elsewhere.browser.get(response.location)
        assert response.status_code == 303, response.text
    elsewhere.device = person.device
    fields = fields_of(elsewhere, response.location)
    assert "transaction" in fields
    done = answer(elsewhere, fields)
    assert done.location.startswith("/authorize?transaction=")
    claims = claims_of(elsewhere.browser.obtain_tokens(acr_values="2")["id_token"])
    assert (claims["acr"], claims["amr"]) == ("2", ["pwd", "hwk", "user", "mfa"])


def test_a_passkey_is_a_factor_like_any_other(careful: Person, app: Flask) -> None:
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
        (found,) = passkeys.list_of(alice.id)
        assert (found.kind, found.name, found.last_used_at) == ("passkey", "Passkey", None)
