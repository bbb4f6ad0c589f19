"""Browser sessions: who signed in at this browser, when and how. OIDC Core §2 (auth_time, acr, amr), OIDC Session `sid`.

Kept on the server and found by a random cookie, so that it can end at any moment. Endpoints: none.
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import cookies
from .models import Session
from .store import current, end, raise_to, seen, start

__all__ = ["Session", "current", "end", "mount", "raise_to", "seen", "start"]


def mount(app: Flask, server: AuthorizationServer) -> None:
    cookies.mount(app)
