from __future__ import annotations

import pytest
from flask import Flask

from .people import Person


@pytest.fixture
def person(app: Flask) -> Person:
    """Alice, signed in by her password, with a device that has no passkey yet."""
    alice = Person(app)
    alice.browser.sign_in("alice")
    return alice
