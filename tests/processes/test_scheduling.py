"""The thread that reads the sockets does not interrupt those that answer."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from flask import Flask

from oidc_server import scheduling

from .site import Site

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no policy for each thread")


def policies(pid: int) -> dict[int, str]:
    """Of each thread of a process: whether it is patient."""
    names = {os.SCHED_OTHER: "as usual", os.SCHED_BATCH: "patient"}
    return {
        int(task.name): names[os.sched_getscheduler(int(task.name))] for task in Path(f"/proc/{pid}/task").iterdir()
    }


def test_a_thread_becomes_as_usual_with_its_first_request() -> None:
    app = Flask(__name__)
    seen: list[int] = []

    @app.get("/")
    def look() -> str:
        seen.append(os.sched_getscheduler(0))
        return ""

    def answer() -> None:
        seen.append(os.sched_getscheduler(0))
        for _ in range(2):
            assert app.test_client().get("/").status_code == 200

    def serve() -> None:
        scheduling.mount(app)
        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
        seen.append(os.sched_getscheduler(0))

    reader = threading.Thread(target=serve)
    reader.start()
    reader.join()
    assert seen == [os.SCHED_BATCH, os.SCHED_OTHER, os.SCHED_OTHER, os.SCHED_BATCH]


def test_where_a_sandbox_forbids_it_the_app_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    app = Flask(__name__)
    before = app.wsgi_app
    scheduling.mount(app)
    assert app.wsgi_app == before


def test_a_worker_reads_patiently_and_answers_as_usual(sqlite_site: Site) -> None:
    site = sqlite_site
    assert site.ask(site.get("/healthz")).status == 200
    found = [set(policies(pid).values()) for pid in site.worker_pids()]
    assert all("patient" in policy for policy in found)
    assert any("as usual" in policy for policy in found)
    assert set(policies(os.getpid()).values()) == {"as usual"}
