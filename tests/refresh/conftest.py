"""Alice's tokens at the app `web`, with a refresh token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows import Browser

OFFLINE = "openid profile email offline_access photos:read photos:write"
API = "https://api.photos.example/"


@pytest.fixture
def tokens(alice: Browser) -> dict[str, Any]:
    """Tokens whose family outlives the browser session, for the API."""
    return alice.obtain_tokens(scope=OFFLINE, resource=API)
