"""How people come to have an account and an address: sign-up, invitations, confirmed and changed addresses. ASVS 6.3.8, 7.5.1.

With the setting `hide_accounts` nobody learns from signing up whether an address has an account: a new one begins to exist when the mail
is answered, and until then all is the same. Endpoints: none; the command is `flask accounts invite`.

    registered = register(email=…, password=…, claims={}, language=…, network=…)   registered.account is None when accounts are hidden
    verify_email(proof)          a link's secret, or what match_code(registered.handle, typed) answered
    begin_email_change(account, new_email, …) -> handle, then confirm_email_change(proof), and within a week undo_email_change(proof)

Refusals: SignUpClosed, AccountExists, PasswordRefused, IdentifierRefused, ClaimRefused, Busy; LinkRefused, whose `reason` is one of
confirmations.REASONS.
"""

from __future__ import annotations

from flask import Flask

from ..accounts import AccountExists, Busy, ClaimRefused, IdentifierRefused, PasswordRefused
from ..confirmations import Refused as LinkRefused
from ..server import AuthorizationServer
from . import commands
from .email_change import (
    begin_email_change,
    confirm_email_change,
    look_at_email_change,
    look_at_undo,
    match_email_change_code,
    undo_email_change,
)
from .invitations import SignUpClosed, invite, is_open, is_possible, look_at_invitation
from .same_browser import browser_hash, is_this_browser
from .signing_up import Registered, register
from .verification import (
    Verified,
    ask_again,
    begin_verification,
    disown,
    knows_password,
    look_at,
    match_code,
    must_verify,
    verify,
    verify_email,
)

__all__ = [
    "AccountExists",
    "Busy",
    "ClaimRefused",
    "IdentifierRefused",
    "LinkRefused",
    "PasswordRefused",
    "Registered",
    "SignUpClosed",
    "Verified",
    "ask_again",
    "begin_email_change",
    "begin_verification",
    "browser_hash",
    "confirm_email_change",
    "disown",
    "invite",
    "is_open",
    "is_possible",
    "is_this_browser",
    "knows_password",
    "look_at",
    "look_at_email_change",
    "look_at_invitation",
    "look_at_undo",
    "match_code",
    "match_email_change_code",
    "mount",
    "must_verify",
    "register",
    "undo_email_change",
    "verify",
    "verify_email",
]


def mount(app: Flask, server: AuthorizationServer) -> None:
    commands.mount()
