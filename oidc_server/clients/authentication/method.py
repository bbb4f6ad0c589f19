"""What a method of client authentication is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from ... import audit
from ...form import Form
from ..models import Client, ClientSecret


class Failed(Exception):
    """The client did not prove who it is; `reason` is a constant for the audit log, the answer never differs."""

    def __init__(self, reason: str, event: str = audit.CLIENT_AUTHENTICATION_FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.event = event


@dataclass
class Presented:
    """The parts of a request that may carry a credential; `basic` is what the Authorization header says, once it was read."""

    form: Form
    headers: Headers
    basic: tuple[str, str] | None = None

    @property
    def has_authorization_header(self) -> bool:
        return "Authorization" in self.headers

    @property
    def has_secret(self) -> bool:
        return "client_secret" in self.form

    @property
    def has_assertion(self) -> bool:
        return "client_assertion" in self.form or "client_assertion_type" in self.form


@dataclass(frozen=True)
class Method:
    """One way of proving who the client is, under its name in the registry of RFC 7591 §4.2.

    `credential` names what the request carries: methods that share it are told apart by the client's registration.
    `claimed_id` reads the unproven identifier; `prove` checks the credential of that client, does the same work for
    None, and returns the secret that was used, if one was. Both raise Failed.
    """

    name: str
    credential: str
    is_presented: Callable[[Presented], bool]
    claimed_id: Callable[[Presented], str]
    prove: Callable[[Client | None, Presented], ClientSecret | None]
    has_secret: bool = False
    signing_algorithms: tuple[str, ...] = ()
