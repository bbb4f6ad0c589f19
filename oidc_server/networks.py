"""Where a request comes from: the address of the client behind trusted proxies, and the network it belongs to.

`X-Forwarded-For` is believed only as far as the setting `trusted_proxies` says, walking from the right, where our own
proxies write; what stands further left came from the client and can say anything. `Forwarded` (RFC 7239) is never read.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from flask import Request

from . import here

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What stands for a peer without an IP address: a server behind a Unix socket.
LOCAL_SOCKET = "unix"
# A subscriber of IPv6 gets a /64 or more, so its 2^64 addresses are one network.
_IPV6_NETWORK_BITS = 64
_MAX_HOPS = 32
# Where a request keeps its network once it was found.
_FOUND = "oidc.network"

_WITH_PORT = re.compile(r"\A(?:\[(?P<bracketed>[^\]]+)\](?::\d{1,5})?|(?P<plain>[\d.]+):\d{1,5})\Z")


@dataclass(frozen=True)
class TrustedProxies:
    """Whose word about the client is taken: exactly `hops` proxies before us, or the peers within `networks`."""

    hops: int = 0
    networks: tuple[Network, ...] = ()
    local_socket: bool = False

    @cached_property
    def nobody(self) -> bool:
        """Whether nobody's word is taken, as without a proxy."""
        return not (self.hops or self.networks or self.local_socket)

    def include(self, address: str) -> bool:
        if address == LOCAL_SOCKET:
            return self.local_socket
        found = ipaddress.ip_address(address)
        return any(found in network for network in self.networks)


@lru_cache(maxsize=16)
def parse_trusted_proxies(text: str) -> TrustedProxies:
    """Read the setting `trusted_proxies`: empty, a number of hops, or addresses and networks separated by commas.

    Raises ValueError naming the setting; a host name is refused, because looking one up would trust the DNS.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if len(entries) == 1 and entries[0].isascii() and entries[0].isdigit():
        hops = int(entries[0])
        if hops > _MAX_HOPS:
            raise ValueError(f"OIDC_TRUSTED_PROXIES names {hops} hops; at most {_MAX_HOPS} make sense.")
        return TrustedProxies(hops=hops)
    networks: list[Network] = []
    for entry in entries:
        if entry == LOCAL_SOCKET:
            continue
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError as error:
            raise ValueError(
                f"OIDC_TRUSTED_PROXIES takes a number of hops, or addresses and networks with commas, not {entry!r}."
            ) from error
    return TrustedProxies(networks=tuple(networks), local_socket=LOCAL_SOCKET in entries)


def client_address(request: Request) -> str:
    """The address of the client, in its one canonical spelling; never looked up in the DNS."""
    # server.py is a tier above this file, so its settings are reached through the app that carries them.
    trusted = parse_trusted_proxies(cast(str, here.app().extensions["oidc_server"].settings.trusted_proxies))
    address = _canonical(request.remote_addr or "") or LOCAL_SOCKET
    if trusted.nobody:
        return address
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hops = trusted.hops
    for entry in reversed(forwarded):
        if not (hops > 0 or trusted.include(address)):
            break
        hops -= 1
        told = _canonical(entry.strip())
        if told is None:
            break  # what a proxy could not name says nothing, and nothing left of it can be trusted
        address = told
    return address


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The network that counts as one client: an IPv4 address as it is, the /64 of an IPv6 address."""
    canonical = _canonical(address)
    if canonical is None or ":" not in canonical:
        return canonical or LOCAL_SOCKET
    return str(ipaddress.ip_network((canonical, _IPV6_NETWORK_BITS), strict=False))


def client_network(request: Request) -> str:
    """The network that a request comes from; found once for each request."""
    found = request.environ.get(_FOUND)
    if found is None:
        found = request.environ[_FOUND] = network_of(client_address(request))
    return cast(str, found)


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str | None:
    if match := _WITH_PORT.match(text):
        text = match["bracketed"] or match["plain"]
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)
