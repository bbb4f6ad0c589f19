"""The way back for a person who forgot the password: a mail, and a new password. ASVS 6.3.7, 6.4.3, 7.4.3; SP 800-63B-4 §4.2.2.

Asking answers the same, in the same time, for every name that is typed. A reset ends sessions and token families, tells the person, signs
in and asks for no second factor, so it opens nothing that one guards. Endpoints: none.

    handle = begin(login, language=…, network=…)
    change(session, present, password, ends_others=…)      by somebody who is signed in
    reset(link_secret, password)   or   reset(match_code(handle, typed), password)

Refusals: LinkRefused (its `reason` is one of confirmations.REASONS), PasswordRefused, Busy.
"""

from __future__ import annotations

from ..accounts import Busy, PasswordRefused
from ..confirmations import Refused as LinkRefused
from .asking import begin
from .changing import change
from .resetting import look, match_code, reset

__all__ = ["Busy", "LinkRefused", "PasswordRefused", "begin", "change", "look", "match_code", "reset"]
