"""Canary secrets go through every flow, right and wrong: none of them is in any log, and none in the database in the clear."""

from __future__ import annotations

import base64
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from flask import Flask
from joserfc.jwk import OctKey, RSAKey

from oidc_server.accounts import store as accounts
from oidc_server.clients import store as clients

from . import flows
from .canaries import Canaries, spellings
from .clients.asking import asserted, assertion, basic
from .conftest import API, ISSUER
from .flows import Browser, Clock, machine_of

CALLBACK = "https://canary.example/callback"
BYE = "https://canary.example/bye"
#: Spelled differently in addresses, JSON, HTML and base64.
PASSWORD = 'Zürich & "seven" + 100% <b>\\ 7319'
KEY = RSAKey.generate_key(2048, {"kid": "canary"})
FORM = "application/x-www-form-urlencoded"


@dataclass
class World:
    """The server at its most talkative, the canaries, and clients of every kind."""

    app: Flask
    canaries: Canaries
    clock: Clock
    registered: dict[str, Any]

    def browser(self) -> Browser:
        return Browser(self.app)

    def ask(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None, **more: Any) -> Any:
        return machine_of(self.app).post(path, data=form, headers=headers, base_url=ISSUER, **more)

    def basic(self) -> dict[str, str]:
        return basic("basic", self.registered["basic"].client_secret)

    def sign_in(self, browser: Browser, page: Any, **changes: str) -> Any:
        return browser.submit(page, **({"username": "carla", "password": PASSWORD} | changes))

    def code(self, browser: Browser, verifier: str, **parameters: str) -> str:
        asked = {"client_id": "basic", "redirect_uri": CALLBACK, "code_challenge": challenge_of(verifier)} | parameters
        page = browser.authorize(**asked)
        if 'id="login-form"' in page.text:
            page = self.sign_in(browser, page)
        if 'id="consent-allow"' in page.text:
            page = browser.submit(page, decision="allow")
        return flows.answer_of(page)["code"]

    def tokens(self, **parameters: str) -> dict[str, Any]:
        verifier = self.canaries.add("verifier")
        answer = self.redeem(self.code(self.browser(), verifier, **parameters), verifier)
        assert answer.status_code == 200, answer.text
        return answer.json  # type: ignore[no-any-return]

    def redeem(self, code: str, verifier: str, **more: str) -> Any:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        return self.ask("/token", form | more, self.basic())


def challenge_of(verifier: str) -> str:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    return str(create_s256_code_challenge(verifier))


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Clock, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    # As somebody who looks for a fault would have it: everything at DEBUG, and every statement to the database.
    caplog.set_level(logging.INFO, "sqlalchemy.engine")
    caplog.set_level(logging.DEBUG)
    app = make_app(log_level="DEBUG")
    canaries = Canaries()
    app.wsgi_app = canaries.watch(app.wsgi_app)  # type: ignore[method-assign]
    with app.app_context():
        accounts.create(username="carla", email="carla@example.test", password=canaries.add("password", PASSWORD))
        registered = {
            "basic": create("basic", "client_secret_basic"),
            "post": create("post", "client_secret_post"),
            "hmac": create("hmac", "client_secret_jwt"),
            "key": create("key", "private_key_jwt", jwks={"keys": [KEY.as_dict()]}),
        }
    for made in registered.values():
        if made.client_secret:
            canaries.add("client secret", made.client_secret)
    yield World(app, canaries, clock, registered)


def create(client_id: str, method: str, **metadata: Any) -> Any:
    document = {
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "password"],
        "scope": "openid profile email offline_access photos:read",
    }
    return clients.create(document | metadata, client_id=client_id)


def sign_in_right_and_wrong(world: World) -> None:
    canaries, browser = world.canaries, world.browser()
    page = browser.get("/login")
    world.sign_in(browser, page, password=canaries.add("wrong password"))
    # People type the one into the field of the other.
    world.sign_in(browser, browser.get("/login"), username=canaries.add("password as name"), password="carla")
    world.sign_in(browser, browser.get("/login"), csrf_token=canaries.add("wrong csrf token", "c" * 21 + "C" * 43))
    browser.get("/login?password=" + canaries.add("password in the address"))
    browser.post("/login?password=" + canaries.add("password in the address"), data={"username": "carla"})
    browser.post("/login", data=json.dumps({"password": canaries.add("password as JSON")}), content_type="text/plain")
    browser.get("/login?transaction=" + canaries.add("made-up transaction"))
    browser.client.set_cookie("__Host-oidc_session", canaries.add("made-up cookie"), domain="id.example.test")
    browser.get("/login")
    assert world.sign_in(browser, browser.get("/login")).status_code == 200


def codes_right_and_wrong(world: World) -> None:
    canaries, browser = world.canaries, world.browser()
    verifier = canaries.add("verifier")
    misplaced = {
        name: canaries.add(f"{name} in the authorization request")
        for name in ("client_secret", "code_verifier", "password", "access_token", "client_assertion")
    }
    code = world.code(browser, verifier, **misplaced)
    assert world.redeem(code, canaries.add("wrong verifier")).status_code == 400
    assert world.redeem(code, verifier, redirect_uri="https://other.example/").status_code == 400
    assert world.redeem(code, verifier).status_code == 200
    assert world.redeem(code, verifier).status_code == 400
    assert world.redeem(canaries.add("made-up code"), verifier).status_code == 400
    for leak in ("?code=", "?client_secret=", "/callback?access_token="):
        browser.authorize(client_id="basic", redirect_uri=CALLBACK + leak + canaries.add("secret in a redirect_uri"))
    browser.authorize(client_id=canaries.add("secret as client_id"))
    browser.post("/authorize", data=flows.request_of(client_id="basic", redirect_uri=CALLBACK) | misplaced)
    assert browser.submit(world_page(world, browser), decision="deny").status_code == 303


def world_page(world: World, browser: Browser) -> Any:
    return browser.authorize(client_id="basic", redirect_uri=CALLBACK, prompt="consent")


def refresh_right_and_wrong(world: World) -> None:
    first = world.tokens(scope="openid offline_access")["refresh_token"]
    asked = {"grant_type": "refresh_token", "refresh_token": first}
    assert world.ask("/token", asked, world.basic()).status_code == 200
    assert world.ask("/token", asked, world.basic()).status_code == 200, "within the grace"
    world.clock.advance(60)
    assert world.ask("/token", asked, world.basic()).status_code == 400
    made_up = {"grant_type": "refresh_token", "refresh_token": world.canaries.add("made-up refresh token")}
    assert world.ask("/token", made_up, world.basic()).status_code == 400


def the_password_grant(world: World) -> None:
    asked = {"grant_type": "password", "username": "carla", "scope": "openid"}
    assert world.ask("/token", asked | {"password": PASSWORD}, world.basic()).status_code == 200
    wrong = asked | {"password": world.canaries.add("wrong password")}
    assert world.ask("/token", wrong, world.basic()).status_code == 400
    swapped = asked | {"username": world.canaries.add("password as name"), "password": "carla"}
    assert world.ask("/token", swapped, world.basic()).status_code == 400


def client_credentials_right_and_wrong(world: World) -> None:
    canaries = world.canaries
    asked = {"grant_type": "client_credentials", "scope": "photos:read", "resource": API}
    secret = world.registered["post"].client_secret
    assert world.ask("/token", asked, world.basic()).status_code == 200
    assert world.ask("/token", asked | {"client_id": "post", "client_secret": secret}).status_code == 200
    for path in ("/token", "/introspect", "/revoke"):
        form = asked | {"token": "x"}
        wrong = canaries.add("wrong client secret")
        assert world.ask(path, form, basic("basic", wrong)).status_code == 401
        assert world.ask(path, form | {"client_id": "post", "client_secret": wrong}).status_code == 401
        assert world.ask(path, form, basic(canaries.add("secret as client_id"), "basic")).status_code == 401
        assert world.ask(path, form, basic(secret, "post")).status_code == 401
        assert world.ask(path, form | {"client_id": canaries.add("secret as client_id")}).status_code == 401
        assert (
            world.ask(path, form, {"Authorization": "Bearer " + canaries.add("bearer of a client")}).status_code == 401
        )
        assert world.ask(path, form, {"Authorization": "Basic " + canaries.add("broken basic")}).status_code == 401
        assert world.ask(f"{path}?client_secret={canaries.add('secret in the address')}", form).status_code == 400
        doubled = f"client_secret={canaries.add('doubled secret')}&client_secret=x"
        assert world.ask(path, doubled, content_type=FORM).status_code == 400  # type: ignore[arg-type]
        posted = json.dumps({"client_secret": canaries.add("secret as JSON")})
        assert world.ask(path, posted, content_type="application/json").status_code == 400  # type: ignore[arg-type]
    for name in ("grant_type", "scope", "resource", "client_assertion_type"):
        world.ask("/token", asked | {name: canaries.add(f"secret as {name}")}, world.basic())


def assertions_right_and_wrong(world: World) -> None:
    canaries = world.canaries
    asked = {"grant_type": "client_credentials", "scope": "photos:read", "resource": API}
    for client_id, key in (("key", KEY), ("hmac", OctKey.import_key(world.registered["hmac"].client_secret))):
        made = world.registered[client_id]
        good = canaries.add("assertion", assertion(made, key=key))
        assert world.ask("/token", asked | asserted(good)).status_code == 200
        assert world.ask("/token", asked | asserted(good)).status_code == 401
        for changes in ({"aud": f"{ISSUER}/token"}, {"exp": 1}, {"sub": canaries.add("secret as sub")}, {"jti": None}):
            wrong = canaries.add("refused assertion", assertion(made, key=key, **changes))
            assert world.ask("/token", asked | asserted(wrong)).status_code == 401
        broken = canaries.add("broken assertion", assertion(made, key=key)[:-4])
        assert world.ask("/token", asked | asserted(broken)).status_code == 401
        half = {"client_assertion": canaries.add("half an assertion", assertion(made, key=key))}
        assert world.ask("/token", asked | half).status_code == 401


def tokens_come_back(world: World) -> None:
    canaries = world.canaries
    tokens = world.tokens(scope="openid offline_access")
    for path in ("/introspect", "/revoke"):
        for token in (tokens["id_token"], canaries.add("made-up token"), tokens["access_token"][:-3]):
            assert world.ask(path, {"token": token}, world.basic()).status_code == 200
            assert world.ask(path, {"token": token}, basic("api", flows.SECRETS["api"])).status_code == 200
        hinted = {"token": "x", "token_type_hint": canaries.add("token as hint")}
        assert world.ask(path, hinted, world.basic()).status_code == 200
    machine = machine_of(world.app)
    access_token = tokens["access_token"]
    assert flows.userinfo(world.app, access_token).status_code == 200
    assert world.ask("/userinfo", {"access_token": access_token}).status_code == 200
    assert machine.get(f"/userinfo?access_token={access_token}", base_url=ISSUER).status_code == 400
    for header in (f"Bearer  {access_token}", f"Token {access_token}", f"Bearer {canaries.add('made-up token')}"):
        answer = machine.get("/userinfo", headers={"Authorization": header}, base_url=ISSUER)
        assert answer.status_code in (400, 401)
    assert world.ask("/introspect", {"token": tokens["refresh_token"]}, world.basic()).json["active"] is True
    assert world.ask("/revoke", {"token": tokens["refresh_token"]}, world.basic()).status_code == 200


def hints_and_signing_out(world: World) -> None:
    canaries, browser = world.canaries, world.browser()
    verifier = canaries.add("verifier")
    code = world.code(browser, verifier, scope="openid")
    hint = world.redeem(code, verifier).json["id_token"]
    # The hint waits with the request while the person proves again who she is.
    page = browser.authorize(
        client_id="basic", redirect_uri=CALLBACK, id_token_hint=hint, prompt="login", scope="openid"
    )
    assert world.sign_in(browser, page).status_code == 303
    made_up = canaries.add("made-up hint", hint[:-5] + "AAAAA")
    browser.authorize(client_id="basic", redirect_uri=CALLBACK, id_token_hint=made_up)
    assert browser.get(f"/logout?id_token_hint={made_up}").status_code == 400
    asked = f"/logout?id_token_hint={hint}&post_logout_redirect_uri={BYE}"
    assert world.browser().post("/logout", data={"id_token_hint": hint}).status_code == 303
    assert browser.get(asked).location == BYE
    page = browser.get("/login")
    world.sign_in(browser, page)
    assert browser.submit(browser.get("/logout"), decision="confirm").status_code == 200


def what_is_not_there(world: World) -> None:
    canaries, machine = world.canaries, machine_of(world.app)
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in ("/callback", "/token", "/jwks.json", "/.well-known/openid-configuration", "/healthz"):
            secret = canaries.add("secret at a wrong address")
            headers = {
                "Authorization": f"Bearer {secret}",
                "Cookie": f"session={secret}",
                "Referer": f"x?code={secret}",
            }
            machine.open(f"{path}?code={secret}", method=method, headers=headers, base_url=ISSUER)


def a_library_fails(world: World) -> None:
    def fail(*_: Any) -> bool:
        raise RuntimeError("a fault in a library")

    browser = world.browser()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcrypt, "checkpw", fail)
        assert world.sign_in(browser, browser.get("/login")).status_code == 500
        asked = {"grant_type": "password", "username": "carla", "password": PASSWORD}
        assert world.ask("/token", asked, world.basic()).status_code == 500


def the_database_fails(world: World) -> None:
    browser, verifier = world.browser(), world.canaries.add("verifier")
    code = world.code(browser, verifier)
    other = world.browser()
    page = other.get("/login")
    with closing(sqlite3.connect(database_of(world), isolation_level=None)) as connection:
        connection.execute("ALTER TABLE token_families RENAME TO elsewhere")
        assert world.redeem(code, verifier).status_code == 503
        connection.execute("ALTER TABLE elsewhere RENAME TO token_families")
        connection.execute("ALTER TABLE accounts RENAME TO elsewhere")
        wrong = {"username": world.canaries.add("password as name"), "password": world.canaries.add("wrong password")}
        assert world.sign_in(other, page, **wrong).status_code == 503
        connection.execute("ALTER TABLE elsewhere RENAME TO accounts")
    assert world.redeem(code, verifier).status_code == 200


FLOWS = [
    sign_in_right_and_wrong,
    codes_right_and_wrong,
    refresh_right_and_wrong,
    the_password_grant,
    client_credentials_right_and_wrong,
    assertions_right_and_wrong,
    tokens_come_back,
    hints_and_signing_out,
    what_is_not_there,
    a_library_fails,
    the_database_fails,
]


@pytest.mark.row("LS-02", "LS-03")
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_no_secret_is_in_a_log_or_in_the_database(
    world: World,
    flow: Callable[[World], None],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    flow(world)
    assert sum(len(values) for values in world.canaries.seen.values()) > 5
    written = capfd.readouterr()
    logged = caplog.text
    assert "sqlalchemy.engine" in logged, "the log is as talkative as it was meant to be"
    assert not world.canaries.found_in(logged)
    assert not world.canaries.found_in(written.out + written.err)
    assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}", logged + written.out + written.err), "no JWT, not even of strangers"
    assert not world.canaries.found_in(stored(world))


def test_the_flows_bring_every_kind_of_secret(world: World) -> None:
    for flow in (codes_right_and_wrong, refresh_right_and_wrong, hints_and_signing_out):
        flow(world)
    kinds = {"access_token", "refresh_token", "id_token", "code", "cookie", "csrf_token", "approval", "transaction"}
    assert kinds | {"password", "client secret", "verifier"} <= world.canaries.seen.keys()
    assert all(len(value) >= 20 for kind in kinds for value in world.canaries.seen[kind])


@pytest.mark.parametrize("value", [PASSWORD, "canary-" + "x" * 30, "a.b.c-of-some-length-that-is-enough"])
def test_a_secret_would_be_found_in_every_spelling(value: str) -> None:
    canaries = Canaries()
    canaries.add("it", value)
    for before in ("", "a", "ab:"):
        assert canaries.found_in(base64.b64encode(f"{before}{value} and more".encode()))
        assert canaries.found_in(base64.urlsafe_b64encode(f"{before}{value}".encode()))
    for text in (value, json.dumps({"x": value}), repr(value), *spellings(value)):
        assert canaries.found_in(f"a line with {text} in it")
    assert not canaries.found_in("a line without")


def database_of(world: World) -> Path:
    return Path(str(world.app.config["SQLALCHEMY_DATABASE_URI"].database))


def stored(world: World) -> bytes:
    """Everything that is in the database, as rows and as the bytes of its files, deleted rows included."""
    path = database_of(world)
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for name in names for row in connection.execute(f'SELECT * FROM "{name}"')]
    assert len(rows) > 5
    cells = [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]
    files = [one.read_bytes() for one in path.parent.glob(path.name + "*")]
    return b"\n".join([*cells, *files])
