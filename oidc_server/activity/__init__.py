"""What happened to an account, for the person whose it is: their own lines of the audit log, kept 90 days. ASVS 16.2.1, row LS-05.

Filled by what audit.record() is told; the log itself stays with the people who run the server. Endpoints: none.
"""

from __future__ import annotations

from flask import Flask

from .. import audit
from ..database import transact
from ..server import AuthorizationServer
from .events import EVENTS, Kind
from .models import Activity
from .store import KEPT, list_for, note, purge

__all__ = ["EVENTS", "KEPT", "Activity", "Kind", "list_for", "mount", "note", "purge"]

_PURGE_EVERY = 600.0
_BATCH = 500


def mount(app: Flask, server: AuthorizationServer) -> None:
    audit.on_record(app, note)
    server.upkeep("activity.purge", _PURGE_EVERY, _purge)


def _purge() -> None:
    for _ in range(20):
        if transact(lambda: purge(_BATCH)) < _BATCH:
            return
