"""What seed.py made, kept in instance/development.json, so that the next start finds it and has nothing to do.

It needs the standard library alone: to find out that everything is there must not cost the start of the server.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "instance" / "development.json"


def read() -> dict[str, Any]:
    """What was kept; empty when there is nothing that can be read."""
    try:
        found = json.loads(PATH.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(state: Mapping[str, Any]) -> None:
    """Keep it, readable by its owner alone: it has passwords in it."""
    made = PATH.with_suffix(".new")
    made.unlink(missing_ok=True)
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)
    made.replace(PATH)


def fingerprint(environ: Mapping[str, str]) -> str:
    """A hash of all that decides what is made: the settings, where the three listen, and the code that makes it."""
    found = hashlib.sha256(f"{sys.executable}\0".encode())
    for name in sorted(environ):
        if name.startswith("OIDC_") or name in ("WEB_APP", "API"):
            found.update(f"{name}={environ[name]}\0".encode())
    server = ROOT / "oidc_server"
    files = (Path(__file__).parent / "seed.py", server / "settings.py", server / "serve.py")
    for path in (
        *files,
        ROOT / "config" / "development.toml",
        *sorted((server / "migrations" / "versions").glob("*.py")),
    ):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def is_current(state: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether everything is there already, made by this code for these settings, in an SQLite database."""
    if state.get("fingerprint") != fingerprint(environ) or not state.get("database"):
        return False
    people, clients = list(state["people"].values()), list(state["clients"])
    try:
        with closing(sqlite3.connect(f"{Path(state['database']).as_uri()}?mode=ro", uri=True)) as database:
            count = _count(database, "accounts", "id", people) + _count(database, "clients", "client_id", clients)
            revisions = database.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:
        return False
    return count == len(people) + len(clients) and revisions == [(state["revision"],)]


def _count(database: sqlite3.Connection, table: str, column: str, values: list[str]) -> int:
    marks = ",".join("?" * len(values))
    query = f"SELECT count(*) FROM {table} WHERE {column} IN ({marks})"  # noqa: S608 - names and marks of ours
    return int(database.execute(query, values).fetchone()[0])
