"""F-13: what one worker revokes is dead on all of them when its answer is there."""

from __future__ import annotations

import pytest

from oidc_server.accounts import store as accounts

from .requests_as_text import API
from .site import Site

TOKENS = 5


@pytest.mark.row("IN-09")
@pytest.mark.spec("RFC 7009 §2")
@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_what_one_worker_revokes_is_inactive_on_every_worker_at_once(site: Site, which: str) -> None:
    given = site.obtain_tokens(TOKENS)
    took = []
    for tokens in given:
        looks = [site.introspection(tokens["access_token"])] * site.workers
        before, revoked, after = site.spread(looks, [site.post("/revoke", "web", token=tokens[which])], looks)
        assert [answer.json["active"] for answer in before] == [True] * site.workers
        assert revoked[0].status == 200
        assert {answer.worker for answer in after} == set(site.worker_pids())
        assert [answer.json for answer in after] == [{"active": False}] * site.workers
        took.append(max(answer.ended for answer in after) - revoked[0].ended)
    print(f"F-13 on {site.kind}: {TOKENS} revoked by {which}, dead on {site.workers} workers within {max(took):.3f} s")
    assert max(took) < 1
    refused = site.send([[site.refreshing(tokens["refresh_token"]) for tokens in given]])[0]
    assert [answer.json["error"] for answer in refused] == ["invalid_grant"] * TOKENS


@pytest.mark.row("IN-09")
def test_a_clients_own_token_that_one_worker_revokes_is_inactive_on_every_worker_at_once(site: Site) -> None:
    asking = site.post("/token", "machine", grant_type="client_credentials", resource=API)
    token = site.ask(asking).json["access_token"]
    access = site.introspection(token)
    assert site.ask(access).json["active"] is True
    assert site.ask(site.post("/revoke", "machine", token=token)).status == 200
    (look,) = site.to_every_worker(access)
    assert [answer.json for answer in look] == [{"active": False}] * site.workers


@pytest.mark.row("IN-09")
def test_a_disabled_account_ends_its_tokens_on_every_worker_at_once(site: Site) -> None:
    (tokens,) = site.obtain_tokens(1)
    with site.app.app_context():
        alice = accounts.find_by_login("alice")
        accounts.disable(alice.id)
    try:
        (look,) = site.to_every_worker(site.introspection(tokens["access_token"]))
        assert [answer.json for answer in look] == [{"active": False}] * site.workers
    finally:
        with site.app.app_context():
            accounts.enable(alice.id)
