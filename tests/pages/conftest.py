from __future__ import annotations

import pytest
from flask import Flask

from ..ground import make_ground


@pytest.fixture(scope="module")
def ground() -> Flask:
    """The ground with the real templates."""
    return make_ground()
