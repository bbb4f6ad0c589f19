"""The pages of the account that everybody who is signed in may open."""

from __future__ import annotations

PATHS = (
    *("", "/profile", "/email", "/password", "/sessions", "/apps", "/activity", "/data", "/data/delete", "/secure"),
    *("/factors", "/passkeys"),
)
