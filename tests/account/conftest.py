from __future__ import annotations

import pytest
from flask import Flask

from tests.flows import Browser


@pytest.fixture
def bob(app: Flask) -> Browser:
    """Bob's browser, signed in."""
    signed_in = Browser(app)
    signed_in.sign_in("bob")
    return signed_in


@pytest.fixture
def phone(app: Flask) -> Browser:
    """Alice's other browser, signed in."""
    signed_in = Browser(app)
    signed_in.client.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1"
    )
    signed_in.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    signed_in.sign_in("alice")
    return signed_in
