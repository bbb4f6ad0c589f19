"""The two backends that decide about simultaneous uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from oidc_server import create_app

from .. import live
from ..conftest import settings_for


@pytest.fixture
def migrated(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    """An app over a migrated database of each kind."""
    app = create_app(**settings_for(tmp_path, database_url=database_url, signing_algorithms=("ES256",)))
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    yield app
    live.close(app)
