"""A User-Agent in words of ours, and a network as a place."""

from __future__ import annotations

import pytest
from flask import Flask

from oidc_server.sessions.devices import device_of, place_of

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit"
KNOWN = {
    f"{MAC}/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15": ("Safari on macOS", "computer"),
    f"{MAC}/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36": ("Chrome on macOS", "computer"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0": (
        "Edge on Windows",
        "computer",
    ),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0": (
        "Firefox on Windows",
        "computer",
    ),
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/124.0.0.0 Safari/537.36": (
        "Chrome on Linux",
        "computer",
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1": (
        "Safari on iPhone",
        "phone",
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 CriOS/124.0 Mobile/15E148 Safari/604.1": (
        "Chrome on iPhone",
        "phone",
    ),
    "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1": (
        "Safari on iPad",
        "tablet",
    ),
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet on Android",
        "phone",
    ),
    "Mozilla/5.0 (Linux; Android 14; Pixel Tablet) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36": (
        "Chrome on Android",
        "tablet",
    ),
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36": (
        "Chrome on ChromeOS",
        "computer",
    ),
    "curl/8.5.0": ("A program, no browser", "robot"),
    "python-requests/2.31": ("A program, no browser", "robot"),
    "": ("An unknown browser", "computer"),
    "Something else entirely": ("An unknown browser", "computer"),
}


@pytest.mark.parametrize(("user_agent", "expected"), KNOWN.items(), ids=[words for words, _ in KNOWN.values()])
def test_a_browser_is_told_in_words(app: Flask, user_agent: str, expected: tuple[str, str]) -> None:
    with app.test_request_context():
        device = device_of(user_agent)
        assert (device.words, device.icon) == expected


@pytest.mark.row("WB-02")
@pytest.mark.parametrize(
    "user_agent", ["<script>alert(1)</script>", "Firefox/" + "9" * 190, "\x1b[31mChrome/1", "Linux" * 30]
)
def test_nothing_of_what_was_sent_is_shown(app: Flask, user_agent: str) -> None:
    with app.test_request_context():
        assert device_of(user_agent).words in ("An unknown browser", "Firefox", "Chrome", "Linux")


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("203.0.113.9", "Network 203.0.113.x"),
        ("2001:db8:1:2::/64", "Network 2001:db8:1:x"),
        ("2001:db8::/64", "Network 2001:db8:x"),
        ("10.1.2.3", "Local network"),
        ("192.168.7.1", "Local network"),
        ("fd00:1::/64", "Local network"),
        ("127.0.0.1", "This machine"),
        ("::/64", "Network :x"),
        ("unix", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_a_network_is_told_as_a_place_and_never_as_an_address(app: Flask, network: str, expected: str) -> None:
    with app.test_request_context():
        assert place_of(network) == expected
