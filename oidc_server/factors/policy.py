"""Who has to prove more than a password: whoever has a second factor, and whom a setting, a role or an app asks for one.

`acr` values grow with what was proven: "1" is one factor, "2" is two (or a passkey that verified its user).
"""

from __future__ import annotations

from typing import Any

from ..accounts import Account
from ..server import current_server
from .factor import Factor

ONE_FACTOR = "1"
TWO_FACTORS = "2"
#: In growing strength.
ACR_VALUES = (ONE_FACTOR, TWO_FACTORS)


def is_required(account: Account, client: Any = None) -> bool:
    """Whether this person must have a second factor, for this client or for any."""
    settings = current_server.settings
    return bool(
        settings.second_factor == "required"
        or set(settings.second_factor_roles) & set(account.roles or ())
        or (client is not None and client.require_second_factor)
    )


def acr_needed(account: Account, factors: list[Factor] | bool, client: Any = None) -> str:
    """The acr that a session of this person needs at least; a person with a factor never gets on with the password alone.

    `factors` are the person's, or whether there are any.
    """
    return TWO_FACTORS if factors or is_required(account, client) else ONE_FACTOR


def together(first: list[str], second: list[str]) -> list[str]:
    """The `amr` of two proofs in one list, with `mfa`, which says that they are two (RFC 8176 §2)."""
    return list(dict.fromkeys([*(one for one in first if one != "mfa"), *second, "mfa"]))


def reaches(acr: str, needed: str) -> bool:
    """Whether an acr is at least the needed one; a value that is none of ours reaches nothing."""
    return acr in ACR_VALUES and ACR_VALUES.index(acr) >= ACR_VALUES.index(needed)
