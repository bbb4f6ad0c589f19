"""A worker that dies in the middle, a statement that fails, a deploy: single-use secrets are spent with their effect or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from oidc_server.database import db
from oidc_server.tokens import families
from tests import flows

from . import swarm
from .held import Held, held
from .refusals import assert_fault, assert_fault_page
from .site import Site, code_of, cookies_of


@pytest.mark.row("FT-02", "FT-04")
def test_a_worker_killed_between_signing_and_commit_leaves_the_code_unspent(site: Site) -> None:
    (code,) = site.obtain_codes(1)
    with held(site, "token_families") as lock:
        killed = asyncio.run(kill_in_the_middle(site, site.redemption(code), lock))
        died = time.monotonic()
    with site.app.app_context():
        assert families.find_by_code(code) is None
    assert site.ask(site.redemption(code)).status == 200, "the others go on"
    site.wait_for_workers()
    assert killed not in site.worker_pids()
    print(f"F-07 on {site.kind}: a killed worker was replaced {time.monotonic() - died:.1f} s after its death")


async def kill_in_the_middle(site: Site, text: str, lock: Held) -> int:
    """Send a request that has signed its tokens and waits to store them; kill the worker that has it."""
    connection, *_ = await swarm.open_connections(site.port, site.worker_pids(), 1)
    asked = asyncio.create_task(connection.ask(text.encode()))
    await asyncio.sleep(0.1)
    lock.wait_for(1)
    os.kill(connection.worker, signal.SIGKILL)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asked
    # While its last thread ends, the kernel may still give it a connection, which is then reset.
    while is_ending(connection.worker):
        await asyncio.sleep(0.005)
    return connection.worker


def is_ending(pid: int) -> bool:
    """Whether threads of a killed process are still there; the last one takes the sockets with it."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1 or psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        return False


@pytest.mark.row("FT-28")
def test_a_redemption_whose_storing_fails_spends_no_code(site: Site) -> None:
    (code,) = site.obtain_codes(1)
    with failing(site, "token_families", "insert"):
        assert_fault(site.ask(site.redemption(code)))
    assert site.ask(site.redemption(code)).status == 200


@pytest.mark.row("FT-28")
def test_a_refresh_whose_storing_fails_spends_no_token(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    with failing(site, "token_families", "update"):
        assert_fault(site.ask(site.refreshing(tokens["refresh_token"])))
    looked = site.ask(site.introspection(tokens["refresh_token"], "web"))
    assert looked.json["active"] is True
    assert site.ask(site.refreshing(tokens["refresh_token"])).status == 200


@pytest.mark.row("FT-28")
def test_a_revocation_that_fails_does_not_claim_to_have_succeeded(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    revoking = site.post("/revoke", "web", token=tokens["refresh_token"])
    with failing(site, "token_families", "update"):
        assert_fault(site.ask(revoking))
    assert site.ask(revoking).status == 200
    assert site.ask(site.introspection(tokens["access_token"])).json == {"active": False}


@pytest.mark.row("FT-28")
def test_a_page_whose_code_cannot_be_stored_is_an_error_page_with_a_reference(site: Site) -> None:
    request = site.authorization(cookies_of(site.sign_in()))
    with failing(site, "short_lived_values", "insert"):
        assert_fault_page(site.ask(request))
    assert code_of(site.ask(request))


@pytest.mark.row("FT-28")
def test_a_sign_in_that_cannot_be_stored_gives_no_session(site: Site) -> None:
    page = site.ask(site.get("/login"))
    _, fields = flows.form_of(page.body)
    headers = {"Cookie": page.headers["set-cookie"].split(";")[0], "Origin": site.url}
    submitting = site.post(
        "/login", headers=headers, **fields, username="alice", password="correct horse battery staple"
    )
    with failing(site, "sessions", "insert"):
        answer = site.ask(submitting)
        assert_fault_page(answer)
        assert "session" not in answer.headers.get("set-cookie", "")


@pytest.mark.row("FT-05")
def test_a_server_told_to_stop_answers_what_it_has_begun_and_takes_nothing_new(tmp_path: Path) -> None:
    with Site(tmp_path / "server", workers=2) as site:
        assert isinstance(site, Site)
        assert site.process is not None
        codes = site.obtain_codes(8)
        with held(site, "token_families") as lock:
            begun = site.begin(*map(site.redemption, codes))
            lock.wait_for(len(codes))
            os.kill(site.process.pid, signal.SIGTERM)
            deadline = time.monotonic() + 2
            while accepts(site.port):
                assert time.monotonic() < deadline, "the listener stays open"
                time.sleep(0.02)
        assert [answer.status for answer in begun.result(15)] == [200] * len(codes)
        assert site.process.wait(15) == 0
        with site.app.app_context():
            assert all(families.find_by_code(code) for code in codes)


@contextmanager
def failing(site: Site, table: str, operation: str) -> Iterator[None]:
    """Have the database itself refuse this operation on this table, as a full quota or a broken index would."""
    begin = [f"create trigger injected before {operation} on {table} begin select raise(abort, 'injected'); end"]
    end = ["drop trigger injected"]
    if site.kind == "postgresql":
        begin = [
            "create function injected() returns trigger language plpgsql as $$ begin raise exception 'injected'; end $$",
            f"create trigger injected before {operation} on {table} for each row execute function injected()",
        ]
        end = [f"drop trigger injected on {table}", "drop function injected"]
    execute(site, begin)
    try:
        yield
    finally:
        execute(site, end)


def execute(site: Site, statements: list[str]) -> None:
    with site.app.app_context(), db.engine.execution_options(oidc_writing=True).begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
