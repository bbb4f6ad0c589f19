"""Authorization requests that wait for a person: stored whole on the server, carried by an opaque id through sign-in and consent.

Each step is decided from the parked request and the session, never from what the browser sends back. RFC 6749 §4.1.1. Endpoints: none.
"""

from __future__ import annotations

from .store import ParkedRequest, bind, complete, find, park, save

__all__ = ["ParkedRequest", "bind", "complete", "find", "park", "save"]
