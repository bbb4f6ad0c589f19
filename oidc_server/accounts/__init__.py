"""People: who they are, how they prove it with a password, and how guessing is slowed down. OIDC Core §5, SP 800-63B-4.

Knows nothing of sessions and tokens: being disabled, or having a new password, is looked at where those are used.
Endpoints: none; the command line is `flask accounts`.
"""

from __future__ import annotations

from flask import Flask

from ..database import transact
from ..server import AuthorizationServer
from . import (
    command_roles,  # noqa: F401 - its commands join the group
    passwords,
    store,
    throttle,
)
from .authentication import WrongCredentials, authenticate, counter_key, record_sign_in, sign_in_identity
from .claims import CLAIMS_OF_SCOPE, ClaimRefused, claims_for
from .commands import accounts
from .hash_slots import Busy
from .identifiers import IdentifierRefused
from .models import Account
from .password_policy import PasswordRefused, require_good_password
from .store import AccountExists
from .throttle import TooManyAttempts
from .transfer import commands as _transfer_commands  # noqa: F401 - its commands join the group

__all__ = [
    "CLAIMS_OF_SCOPE",
    "Account",
    "AccountExists",
    "Busy",
    "ClaimRefused",
    "IdentifierRefused",
    "PasswordRefused",
    "TooManyAttempts",
    "WrongCredentials",
    "authenticate",
    "claims_for",
    "counter_key",
    "mount",
    "record_sign_in",
    "require_good_password",
    "sign_in_identity",
    "store",
]

_PURGE_EVERY = 300.0
_BATCH = 500


def mount(app: Flask, server: AuthorizationServer) -> None:
    passwords.mount(app, server.settings)
    app.cli.add_command(accounts)
    server.upkeep("accounts.purge", _PURGE_EVERY, _purge)


def _purge() -> None:
    # A few batches at a time; a flood that left more is worked off with the next ones.
    for _ in range(20):
        if transact(lambda: throttle.purge(_BATCH)) < _BATCH:
            return
