"""Whose word about the client is taken, and what counts as one network."""

from __future__ import annotations

import socket

import pytest
from flask import request

from oidc_server import networks
from oidc_server.networks import client_address, client_network, network_of, parse_trusted_proxies

from .ground import make_ground

PEER = "10.0.0.1"


def address(trusted: str, forwarded: str | list[str] | None, peer: str = PEER, **others: str) -> str:
    """The client's address as seen by a server that trusts these, when this peer sends these headers."""
    headers = [(name.replace("_", "-"), value) for name, value in others.items()]
    for value in [forwarded] if isinstance(forwarded, str) else forwarded or []:
        headers.append(("X-Forwarded-For", value))
    app = make_ground(trusted_proxies=trusted)
    with app.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": peer}):
        return client_address(request)


@pytest.mark.row("BF-07", "HT-08")
@pytest.mark.parametrize("forwarded", ["203.0.113.9", "203.0.113.9, 198.51.100.7", "::1", "junk", ""])
def test_nobody_is_believed_by_default(forwarded: str) -> None:
    others = {"Forwarded": "for=203.0.113.9", "X_Real_IP": "203.0.113.9", "True_Client_IP": "203.0.113.9"}

    assert address("", forwarded, **others) == PEER


@pytest.mark.row("BF-07")
@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        ("1", "203.0.113.9", "203.0.113.9"),
        ("1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("2", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2", "203.0.113.9", "203.0.113.9"),  # came past one of the two
        ("0", "203.0.113.9", PEER),
        ("1", None, PEER),
    ],
)
def test_a_number_of_hops_is_walked_from_the_right(hops: str, forwarded: str | None, expected: str) -> None:
    assert address(hops, forwarded) == expected


@pytest.mark.row("BF-07")
@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
    [
        ("10.0.0.0/8", "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.0/8", "192.0.2.1", "203.0.113.9", "192.0.2.1"),  # the peer is no proxy of ours
        ("10.0.0.1", "10.0.0.2", "203.0.113.9", "10.0.0.2"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("2001:db8::/32", "2001:db8::1", "2001:DB8:FFFF::7, 2a00::1", "2a00::1"),
        ("::1", "::1", "2a00:0:0:0::1", "2a00::1"),
        ("127.0.0.1", "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("unix", "", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "", "203.0.113.9", "unix"),
    ],
)
def test_proxies_by_address_are_walked_from_the_right(trusted: str, peer: str, forwarded: str, expected: str) -> None:
    assert address(trusted, forwarded, peer) == expected


@pytest.mark.row("HT-08")
@pytest.mark.parametrize(
    "junk",
    [
        "unknown",
        "_hidden",
        "evil.example",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "999.1.1.1",
        "1.2.3.4/8",
        "0x7f.1",
        " ",
        "\u0661.1.1.1",
        "127.0.0.1 ;",
        "<script>",
        "::g",
        "[::1",
        "1.2.3.4:http",
        "010.0.0.1",
        "2130706433",
    ],
)
def test_junk_is_no_address_and_ends_the_walk(junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_lookup(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    junk = junk.encode("utf-8").decode("latin-1")

    assert address("1", f"203.0.113.9, {junk}") == PEER
    assert address("10.0.0.0/8", f"6.6.6.6, {junk}, 10.0.0.2") == "10.0.0.2"


@pytest.mark.row("HT-08")
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2a00::1]:4711", "2a00::1"),
        ("[2a00::1]", "2a00::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_ports_and_zones_that_proxies_add_are_taken_off(told: str, expected: str) -> None:
    assert address("1", told) == expected


@pytest.mark.row("BF-07")
def test_several_headers_are_one_list() -> None:
    assert address("1", ["6.6.6.6", "203.0.113.9"]) == "203.0.113.9"


@pytest.mark.row("BF-11")
@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_subscriber_is_one_network(one: str, expected: str) -> None:
    assert network_of(one) == expected
    assert len(network_of(one)) <= 64


def test_the_network_of_a_request_is_that_of_its_client() -> None:
    app = make_ground(trusted_proxies="1")
    with app.test_request_context("/", headers={"X-Forwarded-For": "2a00::1"}, environ_base={"REMOTE_ADDR": PEER}):
        assert client_network(request) == "2a00::/64"


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "-1", "1.5", "1, 10.0.0.1", "33", "10.0.0.0/33", "٣"])
def test_a_setting_that_cannot_be_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="OIDC_TRUSTED_PROXIES"):
        parse_trusted_proxies(text)


def test_nothing_set_trusts_nobody() -> None:
    assert parse_trusted_proxies("") == parse_trusted_proxies(" , ") == networks.TrustedProxies()
