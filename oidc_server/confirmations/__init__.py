"""Proofs that a person reads an address: a link in a mail, or a code typed where the mail was asked for. SP 800-63B-4 §3.1.3, ASVS 6.4.

Single use, limited in time, hashed where they are stored; a newer one of the same purpose and person ends the older. A link
stands alone, so it carries 256 random bits. A code is 8 digits, worth nothing without the `handle` that only the browser has
which asked for it, and five wrong ones end the code. The link lives on: it cannot be guessed, and what a stranger types must
not take it from its owner.

    begun = begin(purpose, account_id=…, email=…, data={}, lifetime=3600)    link_secret and code are for the mail, handle for the browser
    look(purpose, proof)                             GET: changes nothing, so a mail scanner that follows the link spends nothing
    proof = match_code(purpose, handle, code)        POST, before the transaction: a wrong try counts whatever becomes of the request
    transact(lambda: (redeem(purpose, proof), …))    POST: spends it together with what it allows

`proof` is the secret of a link, or what match_code() answered. Refused.reason is one of REASONS. Endpoints: none.
"""

from __future__ import annotations

from .codes import CODE_DIGITS, MOST_TRIES, shown
from .store import (
    REASONS,
    Begun,
    Confirmation,
    MatchedCode,
    Refused,
    begin,
    end,
    look,
    match_code,
    redeem,
    redeem_code,
)

__all__ = [
    "CODE_DIGITS",
    "MOST_TRIES",
    "REASONS",
    "Begun",
    "Confirmation",
    "MatchedCode",
    "Refused",
    "begin",
    "end",
    "look",
    "match_code",
    "redeem",
    "redeem_code",
    "shown",
]
