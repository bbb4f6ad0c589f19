"""Background jobs: one daemon thread in each process that serves, started by its first request (so after every fork).

Jobs are short and safe to run in several processes at once; each says itself how (a lock, a lease, SKIP LOCKED).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

import click
from flask import Flask

from . import activity, mail, sessions
from .accounts import throttle
from .database import db, transact
from .server import AuthorizationServer, Job, current_server
from .tokens import families

log = logging.getLogger(__name__)

# Rows that one transaction deletes: short enough that no request waits for it.
BATCH = 500
_TICK = 1.0


def mount(app: Flask, server: AuthorizationServer) -> None:
    """Register the purge of what has expired, and start the thread with the first request."""
    server.upkeep("purge", 300, purge)
    started, stopped = threading.Event(), threading.Event()
    app.extensions["upkeep_stopped"] = stopped

    @app.before_request
    def start() -> None:
        if not started.is_set():
            started.set()
            threading.Thread(target=_run, args=(app, server.jobs, stopped), name="upkeep", daemon=True).start()

    @app.cli.command("purge")
    def purge_command() -> None:
        """Delete what has expired, in small batches. The server does it by itself; this is for the impatient."""
        # The server has jobs of their own for the last two.
        click.echo(f"Deleted {_purge(*_STORES, mail.store.purge, activity.purge)} expired rows.")


def stop(app: Flask) -> None:
    """End the thread of an app that serves no more; a process that ends needs no such farewell."""
    app.extensions["upkeep_stopped"].set()


def purge() -> int:
    """Delete expired values, sessions, families and counts in batches; answer how many rows went."""
    return _purge(*_STORES)


_STORES = (sessions.store.purge, families.purge, throttle.purge)


def _purge(*stores: Callable[[int], int]) -> int:
    deleted = 0
    for clean in (current_server.storage.purge, *stores):
        while True:
            gone = transact(lambda clean=clean: clean(BATCH))  # type: ignore[misc]
            deleted += gone
            if gone < BATCH:
                break
            time.sleep(0.01)  # let requests have the writer's lock in between
    return deleted


def _run(app: Flask, jobs: list[Job], stopped: threading.Event) -> None:
    # Jitter, so that processes that started together do not work together.
    due = {job.name: time.monotonic() + job.seconds * random.uniform(0.1, 1.0) for job in jobs}  # noqa: S311
    while not stopped.wait(_TICK):
        for job in jobs:
            if time.monotonic() < due[job.name]:
                continue
            due[job.name] = time.monotonic() + job.seconds * random.uniform(0.9, 1.1)  # noqa: S311
            try:
                with app.app_context():
                    job.run()
            except Exception:
                log.exception("upkeep job %s failed; it will be tried again", job.name)
            finally:
                with app.app_context():
                    db.session.remove()
