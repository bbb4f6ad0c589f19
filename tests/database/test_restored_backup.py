"""The database, or the folder of keys, is a day-old copy again: nothing is given twice, it is noticed, and one command ends the rest.

docs/operations.md, "After restoring a backup", says what an operator does; here is what the server does by itself.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import audit
from oidc_server.database import db
from oidc_server.tokens.models import Family
from tests import flows
from tests.expectations import audited, expect_revoked, expect_token_error
from tests.flows import Browser, Clock

pytestmark = pytest.mark.row("KY-09", "FT-20")

SCOPE = "openid offline_access"
Restore = Callable[[], None]


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    return alice.obtain_tokens(scope=SCOPE)


@pytest.fixture
def back_up(folder: Path, tmp_path: Path) -> Callable[[], Restore]:
    """Copy the database as it is now, as an operator would; answers what puts the copy back."""

    live, kept = folder / "oidc.sqlite3", tmp_path / "backup.sqlite3"

    def copy() -> Restore:
        _overwrite(kept, live)
        return lambda: _overwrite(live, kept)

    return copy


def _overwrite(target: Path, source: Path) -> None:
    """What `.backup` and `.restore` of the sqlite3 shell do, while the server runs."""
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(target)) as taken:
        given.backup(taken)


def living_families(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Family).where(Family.revoked_at.is_(None))) or 0


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("rotations", [1, 2, 5])
def test_a_token_newer_than_the_database_ends_its_family_and_raises_the_alarm(
    app: Flask,
    tokens: dict[str, Any],
    back_up: Callable[[], Restore],
    caplog: pytest.LogCaptureFixture,
    rotations: int,
) -> None:
    first = flows.refresh(app, tokens["refresh_token"]).json
    restore = back_up()
    newest = first
    for _ in range(rotations):
        newest = flows.refresh(app, newest["refresh_token"]).json
    restore()
    expect_token_error(flows.refresh(app, newest["refresh_token"]))
    (alarm,) = audited(caplog, audit.REFRESH_NEWER)
    assert alarm["client_id"] == "web"
    assert audited(caplog, audit.FAMILY_REVOKED)[-1]["because"] == "newer than the database"
    for dead in (tokens, first, newest):
        expect_revoked(app, dead)


def test_of_the_old_and_the_new_token_never_two_have_successors(
    app: Flask, tokens: dict[str, Any], back_up: Callable[[], Restore], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    restore = back_up()
    newest = flows.refresh(app, tokens["refresh_token"]).json
    restore()
    # Whoever kept the old token is served, since the database knows no better ...
    branch = flows.refresh(app, tokens["refresh_token"])
    assert branch.status_code == 200
    # ... until the real client comes with the newer one: then both end.
    expect_token_error(flows.refresh(app, newest["refresh_token"]))
    assert audited(caplog, audit.REFRESH_REUSED)
    expect_revoked(app, branch.json)
    expect_revoked(app, newest)
    assert living_families(app) == 0


def test_a_family_begun_since_the_backup_is_void_and_its_client_is_named(
    app: Flask, alice: Browser, back_up: Callable[[], Restore], caplog: pytest.LogCaptureFixture
) -> None:
    restore = back_up()
    tokens = alice.obtain_tokens(scope=SCOPE)
    restore()
    expect_revoked(app, tokens)
    (alarm,) = audited(caplog, audit.REFRESH_UNKNOWN)
    assert alarm["client_id"] == "web"
    assert living_families(app) == 0


def test_a_made_up_token_raises_no_alarm(app: Flask, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    text = tokens["refresh_token"]
    unknown = "rt1." + ("A" * 22 + text[26:])
    for forged in (unknown, text[:-1] + ("A" if text[-1] != "A" else "E")):
        expect_token_error(flows.refresh(app, forged))
    assert not audited(caplog, audit.REFRESH_UNKNOWN) and not audited(caplog, audit.REFRESH_NEWER)
    assert living_families(app) == 1


def test_a_code_redeemed_since_a_backup_older_than_a_minute_is_dead(
    app: Flask, alice: Browser, back_up: Callable[[], Restore], clock: Clock
) -> None:
    code = alice.obtain_code(scope=SCOPE)
    restore = back_up()
    assert flows.redeem(app, code).status_code == 200
    restore()
    clock.advance(61)
    expect_token_error(flows.redeem(app, code))
    assert living_families(app) == 0


def test_after_signing_everybody_out_a_code_from_the_backup_is_dead_at_once(
    app: Flask, alice: Browser, back_up: Callable[[], Restore]
) -> None:
    code = alice.obtain_code(scope=SCOPE)
    restore = back_up()
    tokens = flows.redeem(app, code).json
    restore()
    run(app, "accounts", "sign-out", "--all")
    expect_token_error(flows.redeem(app, code))
    expect_revoked(app, tokens)
    assert living_families(app) == 0


def test_what_was_ended_since_the_backup_lives_again_until_everybody_is_signed_out(
    app: Flask, alice: Browser, tokens: dict[str, Any], back_up: Callable[[], Restore]
) -> None:
    cookie = alice.client.get_cookie("__Host-oidc_session", domain="id.example.test")
    assert cookie is not None
    restore = back_up()
    flows.post_as(app, "/revoke", token=tokens["refresh_token"])
    alice.submit(alice.get("/logout"), decision="confirm")
    restore()
    stolen = Browser(app)
    stolen.client.set_cookie("__Host-oidc_session", cookie.value, domain="id.example.test", secure=True)
    assert 'id="login-form"' not in stolen.get("/login").text, "this is why the command is in the manual"
    run(app, "accounts", "sign-out", "--all")
    assert 'id="login-form"' in stolen.get("/login").text
    expect_revoked(app, tokens)


def copy_of_keys(folder: Path, tmp_path: Path) -> Restore:
    """Copy the folder of keys as it is now; answers what puts the copy back, whole."""
    shutil.copytree(folder / "keys", tmp_path / "keys")

    def restore() -> None:
        shutil.rmtree(folder / "keys")
        shutil.copytree(tmp_path / "keys", folder / "keys")

    return restore


def kid_of(token: str) -> str:
    return str(pyjwt.get_unverified_header(token)["kid"])


def test_a_key_that_had_retired_by_plan_before_the_backup_stays_retired(
    make_app: Callable[..., Flask], folder: Path, tmp_path: Path, clock: Clock
) -> None:
    app = make_app()
    old = kid_of(Browser(app).obtain_tokens()["access_token"])
    run(app, "keys", "rotate")
    restore = copy_of_keys(folder, tmp_path)
    clock.advance(90000)
    restore()
    again = make_app()
    keyring = again.extensions["oidc_server"].keyring
    assert kid_of(Browser(again).obtain_tokens()["access_token"]) != old
    assert old not in {key["kid"] for key in keyring.public()["keys"]}


def test_a_key_refused_after_the_backup_is_refused_again_by_one_command(
    make_app: Callable[..., Flask], folder: Path, tmp_path: Path
) -> None:
    app = make_app()
    restore = copy_of_keys(folder, tmp_path)
    tokens = Browser(app).obtain_tokens()
    stolen = kid_of(tokens["access_token"])
    run(app, "keys", "rotate", "--emergency")
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401
    restore()
    again = make_app()
    assert flows.userinfo(again, tokens["access_token"]).status_code == 200, "the old folder knows of no theft"
    run(again, "keys", "rotate", "--all")
    assert flows.userinfo(again, tokens["access_token"]).status_code == 401
    keyring = again.extensions["oidc_server"].keyring
    kept = {path.stem for path in (tmp_path / "keys").glob("*.pem")}
    assert stolen in kept
    assert not kept & {key["kid"] for key in keyring.public()["keys"]}, "nothing that the backup held signs any more"
    assert flows.userinfo(again, Browser(again).obtain_tokens()["access_token"]).status_code == 200
