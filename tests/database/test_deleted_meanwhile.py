"""What a request looked at is deleted before it writes: 503, and the reason on the next try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import sessions
from oidc_server.database import Overtaken, db, transact
from oidc_server.grants import authorization_code, codes, password
from oidc_server.tokens.models import Family
from tests import flows
from tests.flows import Browser

pytestmark = pytest.mark.row("RT-09")
CREDENTIALS = {"username": "alice", "password": "correct horse battery staple"}


@pytest.fixture
def deleted_before(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, str], None]:
    """Have another process delete this once, just before that function of a module is called."""

    def arrange(module: Any, function: str, deletion: str) -> None:
        original = getattr(module, function)

        def late(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(module, function, original)
            with db.engine.execution_options(oidc_writing=True).begin() as other:
                assert other.execute(sa.text(deletion)).rowcount == 1
            return original(*arguments, **options)

        monkeypatch.setattr(module, function, late)

    return arrange


def assert_to_be_tried_again(answer: Any) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), answer.text
    assert "x-request-id" in answer.headers


@pytest.mark.spec("RFC 6749 §5.2")
@pytest.mark.parametrize(
    ("deletion", "then"),
    [
        ("delete from accounts where username_key = 'alice'", (400, "invalid_grant")),
        ("delete from clients where client_id = 'web'", (401, "invalid_client")),
    ],
)
def test_a_code_whose_account_or_app_goes_meanwhile_gives_nothing(
    server: Flask,
    deleted_before: Callable[[Any, str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    deletion: str,
    then: tuple[int, str],
) -> None:
    code = Browser(server).obtain_code(scope="openid offline_access")
    deleted_before(codes, "spend", deletion)
    assert_to_be_tried_again(flows.redeem(server, code))
    with server.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Family)) == 0
    monkeypatch.setattr("oidc_server.remembered.SECONDS", 0.0)
    server.extensions.pop("remembered_clients", None)  # as after a second
    answer = flows.redeem(server, code)
    assert (answer.status_code, answer.json["error"]) == then


def test_so_with_the_password_grant(
    server: Flask, deleted_before: Callable[[Any, str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    deleted_before(password, "issue_first", "delete from clients where client_id = 'machine'")
    ask = {"grant_type": "password", "scope": "openid"} | CREDENTIALS
    assert_to_be_tried_again(flows.token_request(server, "machine", **ask))
    (told,) = [line for line in caplog.records if line.getMessage() == "answered 503: Overtaken"]
    assert told.levelname == "INFO", "nobody is woken for it"


def test_so_with_a_consent(server: Flask, deleted_before: Callable[[Any, str, str], None]) -> None:
    alice = Browser(server)
    alice.sign_in("alice")
    page = alice.authorize(client_id="other", scope="openid profile")
    grant = authorization_code.AuthorizationCodeGrant
    deleted_before(grant, "generate_authorization_code", "delete from clients where client_id = 'other'")
    assert_to_be_tried_again(alice.submit(page, decision="allow"))


def test_so_with_a_sign_in(server: Flask, deleted_before: Callable[[Any, str, str], None]) -> None:
    deleted_before(sessions, "start", "delete from accounts where username_key = 'alice'")
    alice = Browser(server)
    assert_to_be_tried_again(alice.submit(alice.get("/login"), **CREDENTIALS))


def test_transact_tells_a_missing_owner_from_every_other_mistake(server: Flask) -> None:
    def write(statement: str) -> None:
        transact(lambda: db.session.execute(sa.text(statement)))

    with server.app_context():
        with pytest.raises(Overtaken):
            write("insert into known_devices values ('nobody', 'hash', '192.0.2.1', 1)")
        with pytest.raises(sa.exc.IntegrityError):
            write("insert into known_devices values (null, 'hash', '192.0.2.1', 1)")
