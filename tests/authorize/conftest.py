"""Alice in the middle of things: she allowed the app `web` before, so that it is answered at once."""

from __future__ import annotations

import pytest

from tests.flows import Browser


@pytest.fixture
def agreed(alice: Browser) -> Browser:
    """Alice's browser, signed in, after she allowed the app `web` to see her profile and e-mail address."""
    alice.obtain_code()
    return alice
