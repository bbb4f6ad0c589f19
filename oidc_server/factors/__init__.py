"""Second factors: authenticator apps, recovery codes, passkeys. RFC 6238, RFC 8176 (amr), SP 800-63B-4, ASVS 6.5.

METHODS (methods.py) is the list of kinds. A new kind is a module or folder here with KIND, list_of() and remove() as factor.Method
says, its name in METHODS, a file in login/ that checks it in the page of second_factor.py, and one in account/ that adds it.
Endpoints: none; the command line is `flask accounts reset-factors`.
"""

from __future__ import annotations

from flask import Flask

from ..server import AuthorizationServer
from . import commands as commands  # puts reset-factors among `flask accounts`
from . import notices, pending, policy, recovery_codes, totp
from .factor import Factor, Method
from .methods import METHODS, has_any, of, remove, remove_all
from .pending import PendingSignIn
from .policy import ACR_VALUES, ONE_FACTOR, TWO_FACTORS, acr_needed, is_required, reaches, together
from .proof import Proof, WrongCode, prove
from .store import TooManyFactors

__all__ = [
    "ACR_VALUES",
    "METHODS",
    "ONE_FACTOR",
    "TWO_FACTORS",
    "Factor",
    "Method",
    "PendingSignIn",
    "Proof",
    "TooManyFactors",
    "WrongCode",
    "acr_needed",
    "has_any",
    "is_required",
    "mount",
    "notices",
    "of",
    "pending",
    "policy",
    "prove",
    "reaches",
    "recovery_codes",
    "remove",
    "remove_all",
    "together",
    "totp",
]


def mount(app: Flask, server: AuthorizationServer) -> None:
    server.advertise(acr_values_supported=list(ACR_VALUES))
