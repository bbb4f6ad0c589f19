"""An app over an empty or a migrated database of each kind, and a table to write into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server import create_app, database

from .. import flows, live
from ..conftest import populate, settings_for
from .counters import TIMEOUT

MakeServer = Callable[..., Flask]


@pytest.fixture
def make_server(tmp_path: Path, database_url: str) -> Iterator[MakeServer]:
    """Make an app over this test's database, with settings by name; the database is empty until somebody migrates it."""
    made: list[Flask] = []

    def make(**overrides: Any) -> Flask:
        made.append(
            create_app(**settings_for(tmp_path, database_url=database_url, signing_algorithms=("ES256",), **overrides))
        )
        return made[-1]

    yield make
    for app in made:
        live.close(app)


@pytest.fixture
def server(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The usual people and apps, in an empty database of each kind."""
    monkeypatch.setattr(flows, "SECRETS", {})
    app = make_server()
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    with app.app_context():
        populate()
    return app


@pytest.fixture
def counted(make_server: MakeServer) -> Iterator[Flask]:
    """In its context: a table of one counter that stands on 0, and a second that nobody has used."""
    app = make_server(database_timeout=TIMEOUT)
    with app.app_context():
        with database.db.engine.execution_options(oidc_writing=True).begin() as connection:
            connection.execute(sa.text("create table counters (name varchar(10) primary key, value integer not null)"))
            connection.execute(sa.text("insert into counters values ('one', 0), ('two', 0)"))
        yield app
