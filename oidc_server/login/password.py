"""Signing in with a user name or e-mail address and a password."""

from __future__ import annotations

from typing import Any

from .. import factors
from ..form import Form
from ..sessions import proof

#: One factor that the person knows.
ACR = factors.ONE_FACTOR
#: RFC 8176 §2.
AMR = ["pwd"]


def authenticate(form: Form) -> Any:
    """The account of the posted user name and password.

    Raises accounts.WrongCredentials, accounts.TooManyAttempts, accounts.Busy and rate_limits.RateLimited.
    """
    return proof.authenticate(form.get("username", ""), form.get("password", ""))
