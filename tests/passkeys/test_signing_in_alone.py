"""Signing in with a passkey alone, through the endpoints, with an authenticator in software."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from oidc_server.accounts import store as accounts
from oidc_server.factors import passkeys
from tests.conftest import PASSWORD
from tests.flows import Browser, Clock, claims_of

from .authenticator import BE, BS, EDDSA, ES256, RS256, UP, UV, encode
from .people import Person


@pytest.mark.spec("WebAuthn §7.2")
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_of_each_algorithm_signs_in(person: Person, algorithm: int) -> None:
    device = person.new_device(algorithm=algorithm)
    person.add_passkey(device)
    person.sign_out()
    response = person.sign_in(device)
    assert (response.status_code, response.location) == (303, "/account")
    assert "alice" in person.browser.get("/account").text


@pytest.mark.spec("OIDC Core §2", "RFC 8176 §2")
@pytest.mark.parametrize(("flags", "kind"), [(UP | UV, "hwk"), (UP | UV | BE | BS, "swk")])
def test_the_id_token_says_truthfully_what_was_proven(person: Person, flags: int, kind: str) -> None:
    person.device.flags = flags
    person.add_passkey()
    person.sign_out()
    person.sign_in()
    claims = claims_of(person.browser.obtain_tokens()["id_token"])
    assert (claims["acr"], sorted(claims["amr"])) == ("2", sorted([kind, "user", "mfa"]))


def test_the_parked_request_goes_on_after_a_passkey(person: Person) -> None:
    person.add_passkey()
    person.sign_out()
    page = person.browser.authorize()
    transaction = page.text.split('name="transaction" value="')[1].split('"')[0]
    options, fields = person.request_options(f"/login?transaction={transaction}", transaction=transaction)
    response = person.send(fields, person.device.get(options))
    assert response.location == f"/authorize?transaction={transaction}"
    assert 'id="consent-allow"' in person.browser.follow(response).text


@pytest.mark.row("SE-02")
def test_the_session_of_a_passkey_is_a_new_one(person: Person) -> None:
    person.add_passkey()
    before = person.browser.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    person.sign_in()
    after = person.browser.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert before and after and before.value != after.value


def refused(person: Person, response: Any) -> bool:
    """The one look that every refusal has, and nobody signed in."""
    assert response.status_code == 401
    assert 'id="passkey-alert"' in response.text
    return bool(person.browser.get("/account").status_code == 303)


LIES: dict[str, Callable[[Person], dict[str, Any]]] = {
    "the origin of a stranger": lambda p: {"origin": "https://evil.example"},
    "the origin of a subdomain": lambda p: {"origin": "https://a.id.example.test"},
    "the origin of a parent": lambda p: {"origin": "https://example.test"},
    "another port": lambda p: {"origin": "https://id.example.test:8443"},
    "plain http": lambda p: {"origin": "http://id.example.test"},
    "another RP id": lambda p: {"rp_id": "example.test"},
    "no user verification": lambda p: {"flags": UP},
    "nobody there": lambda p: {"flags": UV},
    "backed up although it cannot be": lambda p: {"flags": UP | UV | BS},
    "suddenly of a kind that is copied": lambda p: {"flags": UP | UV | BE},
    "another ceremony": lambda p: {"client_data": {"type": "webauthn.create"}},
    "a payment": lambda p: {"client_data": {"type": "payment.get"}},
    "a frame of another site": lambda p: {"client_data": {"crossOrigin": True, "topOrigin": "https://evil.example"}},
    "a top origin": lambda p: {"client_data": {"topOrigin": "https://id.example.test"}},
    "no user handle": lambda p: {"user_handle": None},
    "the user handle of somebody else": lambda p: {"user_handle": bytes(32)},
    "another key": lambda p: {"key": p.new_device().key},
    "another challenge": lambda p: {"client_data": {"challenge": encode(bytes(56))}},
    "a short challenge": lambda p: {"client_data": {"challenge": "AA"}},
    "no challenge": lambda p: {"client_data": {"challenge": ""}},
    "a challenge that is a number": lambda p: {"client_data": {"challenge": 1}},
}


@pytest.mark.spec("WebAuthn §7.2", "WebAuthn §13.4.9")
@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_as_it_must_be_signs_nobody_in(person: Person, lie: str) -> None:
    person.add_passkey()
    person.sign_out()
    for name, value in LIES[lie](person).items():
        setattr(person.device, name, value)
    assert refused(person, person.sign_in())


@pytest.mark.spec("WebAuthn §7.2")
@pytest.mark.parametrize("name", ["signature", "authenticatorData", "clientDataJSON"])
def test_a_changed_bit_signs_nobody_in(person: Person, name: str) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    credential = json.loads(person.device.get(options))
    text = credential["response"][name]
    # The last byte but some: in the counter, the end of the signature, the JSON.
    credential["response"][name] = text[:-4] + ("A" if text[-4] != "A" else "B") + text[-3:]
    assert refused(person, person.send(fields, json.dumps(credential)))


MALFORMED = {
    "nothing": lambda c: "",
    "no JSON": lambda c: "{",
    "a list": lambda c: "[]",
    "another type": lambda c: json.dumps(c | {"type": "password"}),
    "no response": lambda c: json.dumps({k: v for k, v in c.items() if k != "response"}),
    "a response that is a text": lambda c: json.dumps(c | {"response": "x"}),
    "two ids": lambda c: json.dumps(c | {"id": "AAAA"}),
    "an id that is a number": lambda c: json.dumps(c | {"id": 1, "rawId": 1}),
    "base64 with padding": lambda c: json.dumps(c | {"id": "AA==", "rawId": "AA=="}),
    "base64 that is not canonical": lambda c: json.dumps(c | {"id": "AB", "rawId": "AB"}),
    "a name twice": lambda c: json.dumps(c)[:-1] + ',"rawId":"AAAA"}',
    "no signature": lambda c: json.dumps(c | {"response": c["response"] | {"signature": None}}),
    "an empty signature": lambda c: json.dumps(c | {"response": c["response"] | {"signature": ""}}),
    "short authenticator data": lambda c: json.dumps(c | {"response": c["response"] | {"authenticatorData": "AAAA"}}),
    "deep JSON": lambda c: '{"response":' * 500 + "1" + "}" * 500,
    "a user handle that is a list": lambda c: json.dumps(c | {"response": c["response"] | {"userHandle": ["AA"]}}),
}


@pytest.mark.row("HT-01")
@pytest.mark.parametrize("shape", MALFORMED)
def test_what_is_no_assertion_is_refused_like_any_other(person: Person, shape: str) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    credential = json.loads(person.device.get(options))
    assert refused(person, person.send(fields, MALFORMED[shape](credential)))


@pytest.mark.spec("WebAuthn §13.4.3")
def test_a_challenge_is_good_once(person: Person) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    credential = person.device.get(options)
    assert person.send(fields, credential).status_code == 303
    person.browser.client.delete_cookie("__Host-oidc_session", domain="id.example.test")
    assert refused(person, person.send(fields, credential))


@pytest.mark.spec("WebAuthn §13.4.3")
def test_of_simultaneous_uses_of_a_challenge_one_signs_in(person: Person) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    sent = fields | {"credential": person.device.get(options)}
    jar = person.browser.client._cookies
    browsers = [Browser(person.app) for _ in range(6)]
    for browser in browsers:
        browser.client._cookies = dict(jar)
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda browser: browser.post("/login/passkey", sent).status_code, browsers))
    assert sorted(statuses) == [303, 401, 401, 401, 401, 401]


def test_a_challenge_that_failed_is_spent_too(person: Person) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    stranger = person.new_device(credential_id=person.device.credential_id, user_handle=person.device.user_handle)
    assert refused(person, person.send(fields, stranger.get(options)))
    assert refused(person, person.send(fields, person.device.get(options)))


@pytest.mark.spec("WebAuthn §13.4.3")
def test_a_challenge_of_another_browser_is_refused(person: Person) -> None:
    person.add_passkey()
    other = Person(person.app)
    options, _ = other.request_options()
    person.sign_out()
    _, fields = person.request_options()
    assert refused(person, person.send(fields, person.device.get(options)))


def test_a_challenge_ends_after_ten_minutes(person: Person, clock: Clock) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    late = person.device.get(options)
    clock.advance(601)
    assert refused(person, person.send(fields, late))
    options, fields = person.request_options()
    clock.advance(590)
    assert person.send(fields, person.device.get(options)).status_code == 303


def test_a_challenge_outlives_a_change_of_the_secret_key(
    person: Person, make_app: Callable[..., Flask], app: Flask
) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    earlier = app.extensions["oidc_server"].settings.secret_key
    renewed = make_app(secret_key="renewed-" + "0123456789abcdef" * 3, secret_key_fallbacks=(earlier,))
    cookies = person.browser.client._cookies
    person.browser = Browser(renewed)
    person.browser.client._cookies = cookies
    assert person.send(fields, person.device.get(options)).status_code == 303


@pytest.mark.spec("WebAuthn §6.1.1")
def test_a_counter_that_grows_is_followed(person: Person, app: Flask) -> None:
    person.device.counter = 7
    person.add_passkey()
    for counter in (8, 20):
        person.device.counter = counter
        assert person.sign_in().status_code == 303
    with app.app_context():
        kept = passkeys.store.find(person.device.credential_id)
        assert kept is not None and kept.sign_count == 20 and kept.last_used_at is not None


@pytest.mark.spec("WebAuthn §6.1.1")
@pytest.mark.parametrize(("counter", "then"), [(7, 7), (7, 6), (7, 0)])
def test_a_counter_that_does_not_grow_is_refused_and_told(
    person: Person, counter: int, then: int, caplog: pytest.LogCaptureFixture
) -> None:
    person.device.counter = counter
    person.add_passkey()
    person.sign_out()
    person.device.counter = then
    assert refused(person, person.sign_in())
    told = [json.loads(r.message) for r in caplog.records if "passkey.copy_suspected" in r.message]
    assert len(told) == 1 and told[0]["account_id"]
    person.device.counter = 8
    assert person.sign_in().status_code == 303


@pytest.mark.spec("WebAuthn §6.1.1")
def test_a_counter_that_stays_on_zero_says_nothing(person: Person) -> None:
    person.add_passkey()
    for _ in range(3):
        assert person.sign_in().status_code == 303


@pytest.mark.row("EN-01", "EN-05")
def test_unknown_removed_and_disabled_look_the_same(person: Person, app: Flask) -> None:
    person.add_passkey()
    person.sign_out()
    unknown = person.sign_in(person.new_device(user_handle=bytes(32)))
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
        accounts.disable(alice.id)
    disabled = person.sign_in()
    assert refused(person, unknown) and refused(person, disabled)
    assert visible(unknown.text) == visible(disabled.text)
    assert (unknown.status_code, sorted(unknown.headers.keys())) == (
        disabled.status_code,
        sorted(disabled.headers.keys()),
    )


def visible(page: str) -> str:
    """A page without what differs each time, and without the hint for the browser."""
    return re.sub(r' value="[A-Za-z0-9_-]{40,}"| data-unknown="[^"]*"', "", page)


@pytest.mark.row("SE-14")
def test_a_disabled_account_has_no_side_door(person: Person, app: Flask) -> None:
    person.add_passkey()
    with app.app_context():
        alice = accounts.find_by_login("alice")
        assert alice is not None
        accounts.disable(alice.id)
    person.sign_out()
    assert refused(person, person.sign_in())


@pytest.mark.spec("WebAuthn §5.1.10.2")
def test_the_browser_is_told_to_forget_what_nobody_knows(person: Person) -> None:
    device = person.new_device(user_handle=bytes(32))
    person.sign_out()
    page = person.sign_in(device)
    assert f'data-unknown="{encode(device.credential_id)}"' in page.text
    person.browser.sign_in("alice")
    person.add_passkey()
    person.sign_out()
    person.device.flags = UP
    assert "data-unknown" not in person.sign_in().text


@pytest.mark.row("EN-05")
@pytest.mark.spec("WebAuthn §14.6.2")
def test_the_options_are_the_same_for_everybody(person: Person) -> None:
    person.add_passkey()
    person.sign_out()
    known, _ = person.request_options(username="alice")
    unknown, _ = person.request_options(username="nobody")
    assert known.pop("challenge") != unknown.pop("challenge")
    assert known == unknown
    assert known == {
        "allowCredentials": [],
        "rpId": "id.example.test",
        "timeout": 300000,
        "userVerification": "required",
    }


@pytest.mark.row("SE-01", "WB-09")
@pytest.mark.parametrize("path", ["/login/passkey", "/login/passkey/options"])
def test_a_form_of_another_site_is_refused(person: Person, path: str) -> None:
    person.add_passkey()
    person.sign_out()
    options, fields = person.request_options()
    credential = {"credential": person.device.get(options)}
    for sent, headers in (
        (credential, {}),
        (fields | credential, {"Sec-Fetch-Site": "cross-site"}),
        (fields | credential, {"Origin": "https://evil.example"}),
    ):
        assert person.browser.post(path, sent, headers=headers).status_code == 403
    assert person.browser.get("/account").status_code == 303


@pytest.mark.row("BF-09")
def test_passkeys_are_limited_by_network(make_app: Callable[..., Flask]) -> None:
    person = Person(make_app(ratelimit_enabled=True, ratelimit_passkey="5/minute"))
    fields = {"csrf_token": person.csrf_of("/login")}
    answers = [person.browser.post("/login/passkey/options", fields) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_passkey_signs_in_although_guessing_closed_the_password(
    person: Person, make_app: Callable[..., Flask]
) -> None:
    person.add_passkey()
    person.app = make_app(ratelimit_enabled=True)
    person.sign_out()
    for _ in range(12):
        page = person.browser.submit(person.browser.get("/login"), username="alice", password="wrong wrong wrong")
    assert page.status_code == 429
    assert person.sign_in().status_code == 303


@pytest.mark.row("WB-04")
def test_the_page_may_fetch_from_here_and_nowhere_else(person: Person) -> None:
    person.sign_out()
    policy = person.browser.get("/login").headers["Content-Security-Policy"]
    assert "connect-src 'self';" in policy
    assert (
        "connect-src"
        not in person.browser.get("/nothing-here", headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize(
    ("issuer", "offered"),
    [
        ("http://localhost:8000", True),
        ("https://id.example.test", True),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.1", False),
    ],
)
def test_passkeys_are_offered_where_browsers_take_them(
    make_app: Callable[..., Flask], issuer: str, offered: bool
) -> None:
    page = Browser(make_app(issuer=issuer)).get("/login")
    assert ('id="passkey-form"' in page.text) is offered


def test_it_is_the_same_on_each_database(make_app: Callable[..., Flask], database_url: str) -> None:
    app = make_app(database_url=database_url)
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    with app.app_context():
        accounts.create("alice", PASSWORD, email="alice@example.test")
    person = Person(app)
    person.browser.sign_in("alice")
    person.device.counter = 0xFFFFFFFE
    person.add_passkey()
    assert person.add_passkey(person.new_device(credential_id=person.device.credential_id)).status_code == 409
    person.sign_out()
    assert person.sign_in().status_code == 401  # the counter stands still
    person.device.counter = 0xFFFFFFFF
    assert person.sign_in().status_code == 303
