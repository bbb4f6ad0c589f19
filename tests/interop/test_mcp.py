"""The OAuth client of the official MCP SDK: from the 401 of a resource over its metadata to our server, and back with a token.

RFC 9728 names the authorization server, RFC 8414 describes it, RFC 8707 names the resource, RFC 9207 the issuer of the answer.
The SDK asks for offline_access by itself, so such an app is registered with that scope.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests import flows

from .person import Person
from .site import Site

pytest.importorskip("mcp", reason="the package mcp is missing; install requirements-dev.txt")

from .mcp_agent import REGISTERED, Agent, OAuthFlowError, OAuthTokenError, Tools


@pytest.fixture(scope="module")
def tools(site: Site) -> Iterator[Tools]:
    server = Tools(site.url)
    site.protect(server.identifier, {"tools:list": "See your tools", "tools:call": "Use your tools"})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def agent_of(site: Site, tools: Tools, alice: Person, method: str = "none", **metadata: Any) -> Agent:
    client_id = f"agent-{flows.new_state()}"
    registered = {
        "redirect_uris": [REGISTERED],
        "token_endpoint_auth_method": method,
        "scope": "tools:list tools:call offline_access",
        "post_logout_redirect_uris": [],
    }
    return Agent(tools, alice, client_id, method, site.register(client_id, **registered | metadata))


@pytest.mark.spec("RFC 8414 §3.3", "RFC 8707 §2", "RFC 9068 §2.2")
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_an_agent_finds_us_and_gets_a_token_for_the_resource(
    site: Site, tools: Tools, alice: Person, method: str
) -> None:
    agent = agent_of(site, tools, alice, method)
    assert agent.call().json() == {"sub": site.alice}
    assert agent.fetched == [
        tools.identifier,
        tools.metadata_url,
        f"{site.url}/.well-known/oauth-authorization-server",
        f"{site.url}/token",
        tools.identifier,
    ]
    assert agent.asked[0]["resource"] == tools.identifier
    assert agent.memory.tokens is not None
    claims = flows.claims_of(agent.memory.tokens.access_token)
    assert claims["aud"] == tools.identifier
    assert claims["scope"] == "tools:list"
    assert claims["client_id"] == agent.memory.registration.client_id


def test_an_agent_asks_alice_once(site: Site, tools: Tools, alice: Person) -> None:
    agent = agent_of(site, tools, alice)
    assert agent.call(times=3).status_code == 200
    assert len(agent.asked) == 1


@pytest.mark.spec("RFC 6749 §6")
def test_an_agent_refreshes_without_alice(site: Site, tools: Tools, alice: Person) -> None:
    agent = agent_of(site, tools, alice)
    agent.call()
    first = agent.memory.tokens
    assert first is not None
    agent.provider.context.token_expiry_time = 1.0
    assert agent.call().status_code == 200
    second = agent.memory.tokens
    assert second is not None
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token
    assert flows.claims_of(second.access_token)["aud"] == tools.identifier
    assert len(agent.asked) == 1


@pytest.mark.spec("RFC 6750 §3.1")
def test_an_agent_that_needs_more_asks_for_more(site: Site, tools: Tools, alice: Person) -> None:
    agent = agent_of(site, tools, alice)
    agent.call("GET")
    assert agent.call("POST").status_code == 200
    assert [asked["scope"].split() for asked in agent.asked] == [
        ["tools:list", "offline_access"],
        ["tools:list", "offline_access", "tools:call"],
    ]
    assert tools.seen[-1]["scope"].split() == ["tools:list", "tools:call"]


@pytest.mark.spec("RFC 9207 §2.4")
@pytest.mark.parametrize(("iss", "reason"), [(None, "missing iss"), ("https://evil.example", "iss mismatch")])
def test_an_agent_refuses_an_answer_without_our_name(
    site: Site, tools: Tools, alice: Person, iss: str | None, reason: str
) -> None:
    agent = agent_of(site, tools, alice)
    agent.changes = {"iss": iss}
    with pytest.raises(OAuthFlowError, match=reason):
        agent.call()
    assert agent.memory.tokens is None
    agent.changes = {}
    assert agent.call().status_code == 200


def test_an_agent_with_a_wrong_secret_gets_nothing(site: Site, tools: Tools, alice: Person) -> None:
    agent = agent_of(site, tools, alice, "client_secret_basic")
    agent.memory.registration.client_secret = "wrong"
    with pytest.raises(OAuthTokenError, match="invalid_client"):
        agent.call()
    assert agent.memory.tokens is None
