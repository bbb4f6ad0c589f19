"""A browser in words a person knows, from its User-Agent; and a network in words that tell no more than a place.

RFC 9110 §10.1.5: the header says what somebody likes. So the words come from our own lists, and nothing of the header is shown.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ..languages import translate

# The first that is found names the browser: most of them also claim to be those further down.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("DuckDuckGo", r"\bDuckDuckGo/"),
    ("Brave", r"\bBrave/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"Chrome/|\bCriOS/|\bChromium/"),
    ("Safari", r"\bVersion/[\d.]+.*\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", "phone", r"\biPhone\b|\biPod\b"),
    ("iPad", "tablet", r"\biPad\b"),
    ("Android", "phone", r"\bAndroid\b.*\bMobile\b"),
    ("Android", "tablet", r"\bAndroid\b"),
    ("ChromeOS", "computer", r"\bCrOS\b"),
    ("Windows", "computer", r"\bWindows\b"),
    ("macOS", "computer", r"\bMacintosh\b|\bMac OS X\b"),
    ("Linux", "computer", r"\bLinux\b|\bX11\b"),
)
#: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6.
_LOCAL = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
) + tuple(ipaddress.ip_network(network) for network in ("fc00::/7", "fe80::/10"))
_PROGRAM = re.compile(r"\A(?:curl|Wget|python|Go-http-client|okhttp|axios|node|Java|libwww|Apache-HttpClient)\b", re.I)


@dataclass(frozen=True)
class Device:
    """What a User-Agent says; `icon` is phone, tablet, computer or robot, the names are brands and empty when unknown."""

    browser: str
    system: str
    icon: str

    @property
    def words(self) -> str:
        """In the language of the request: "Firefox on Windows"."""
        if self.icon == "robot":
            return translate("A program, no browser")
        if self.browser and self.system:
            return translate("%(browser)s on %(system)s", browser=self.browser, system=self.system)
        return self.browser or self.system or translate("An unknown browser")


def device_of(user_agent: str) -> Device:
    """The device of a User-Agent header."""
    if _PROGRAM.match(user_agent):
        return Device("", "", "robot")
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, user_agent)), "")
    system, icon = next(
        ((name, icon) for name, icon, pattern in _SYSTEMS if re.search(pattern, user_agent)), ("", "computer")
    )
    return Device(browser, system, icon)


def place_of(network: str) -> str:
    """A network as people may see it: its prefix, never a whole address; empty when there is none to tell."""
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return ""
    if found.is_loopback:
        return translate("This machine")
    if any(found.version == local.version and found.subnet_of(local) for local in _LOCAL):  # type: ignore[arg-type]
        return translate("Local network")
    if isinstance(found, ipaddress.IPv4Network):
        return translate("Network %(prefix)s", prefix=str(found.network_address).rpartition(".")[0] + ".x")
    prefix = ipaddress.ip_network((found.network_address, min(found.prefixlen, 48)), strict=False)
    return translate("Network %(prefix)s", prefix=str(prefix.network_address).removesuffix("::") + ":x")
