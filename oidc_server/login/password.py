"""Signing in with a user name or e-mail address and a password."""

from __future__ import annotations

from typing import Any

from flask import request

from .. import accounts, csrf, factors, rate_limits
from ..networks import client_network
from ..strict_form import Form

#: One factor that the person knows.
ACR = factors.ONE_FACTOR
#: RFC 8176 §2.
AMR = ["pwd"]


def authenticate(form: Form) -> Any:
    """The account of the posted user name and password.

    Raises accounts.WrongCredentials, accounts.TooManyAttempts, accounts.Busy and rate_limits.RateLimited.
    """
    username, password = form.get("username", ""), form.get("password", "")
    network = client_network(request)
    if not username or not password:
        raise accounts.WrongCredentials
    device = csrf.browser_id()
    rate_limits.hit("sign_in", *accounts.sign_in_identity(username, network=network, device=device))
    return accounts.authenticate(username, password, network=network, device=device, is_whole=False)
