"""Where a person goes after signing in without an app: a page of their own account, by one strict pattern, and nowhere else."""

from __future__ import annotations

import re

from ..form import Form

DEFAULT = "/account"
_PAGE = re.compile(r"/account(/[a-z-]+)*", re.ASCII)
_MAX_LENGTH = 100


def of(parameters: Form) -> str:
    """The `then` of a query or form if it is a page of the account; the account itself otherwise."""
    then = parameters.get("then", "")
    return then if len(then) <= _MAX_LENGTH and _PAGE.fullmatch(then) else DEFAULT


def wants_proof(parameters: Form) -> bool:
    """Whether the page asks for a fresh sign-in although somebody is signed in (`prompt=login`)."""
    return parameters.get("prompt") == "login"
