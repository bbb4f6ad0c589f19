"""Where confirmations are kept: in the storage of short-lived values, as the kinds below.

confirmation          purpose and handle -> what is to be confirmed; kept for a week after its end, so that an old link is known
confirmation_newest   purpose and person -> the newest handle; only that one is alive
confirmation_try      purpose, handle, 1…5 -> a wrong code was typed
confirmation_ended    purpose and handle -> it was redeemed
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from ..database import is_writing, now, transact
from ..server import current_server
from . import codes

_KIND = "confirmation"
_NEWEST = "confirmation_newest"
_TRY = "confirmation_try"
_ENDED = "confirmation_ended"

#: Seconds for which an old link is told from one that never was, so that its page can say what to do.
REMEMBERED = 7 * 86400
REASONS = ("unknown", "expired", "used", "too many")


class Refused(Exception):
    """The link or code opens nothing; `reason` is one of REASONS. One that a newer one has replaced counts as expired."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Begun:
    """What begin() made: `link_secret` and `code` are for the mail alone, `handle` for the browser that asked."""

    link_secret: str
    code: str
    handle: str
    expires_at: float

    def __repr__(self) -> str:
        return f"<Begun expires_at={self.expires_at}>"


@dataclass(frozen=True)
class Confirmation:
    """What somebody who reads `email` confirms by it; `data` is what begin() was given."""

    purpose: str
    account_id: str | None
    email: str
    data: dict[str, Any]
    begun_at: float
    expires_at: float


@dataclass(frozen=True)
class MatchedCode:
    """The proof that the right code was typed: what match_code() answers, as good as the secret of the link in look() and redeem()."""

    handle: str


def begin(purpose: str, *, account_id: str | None, email: str, data: dict[str, Any], lifetime: int) -> Begun:
    """Begin a confirmation that ends after `lifetime` seconds and ends the one before it; joins the caller's transaction."""
    at = now()
    link_secret, code = secrets.token_urlsafe(32), codes.make()
    handle = _handle_of(link_secret)
    expires_at = at + lifetime
    value = {
        "account_id": account_id,
        "email": email,
        "data": data,
        "begun_at": at,
        "expires_at": expires_at,
        "code_hash": codes.hash_of(code, handle, current_server.settings),
    }

    def store() -> None:
        current_server.storage.put(_KIND, _key(purpose, handle), value, expires_at + REMEMBERED)
        newest = {"handle_hash": _hash(handle)}
        current_server.storage.put(_NEWEST, _person(purpose, account_id, email), newest, expires_at + REMEMBERED)

    transact(store)
    return Begun(link_secret, code, handle, expires_at)


def end(purpose: str, *, account_id: str | None, email: str = "") -> None:
    """End what was begun for this purpose and person; joins the caller's transaction. With an account the address does not matter."""
    transact(lambda: current_server.storage.take(_NEWEST, _person(purpose, account_id, email)))


def look(purpose: str, proof: str | MatchedCode) -> Confirmation:
    """What this proof would confirm; changes nothing. Raises Refused."""
    return _live(purpose, _handle(proof))[1]


def redeem(purpose: str, proof: str | MatchedCode) -> Confirmation:
    """Spend it, within the caller's transaction; of simultaneous callers one succeeds. Raises Refused."""
    handle = _handle(proof)

    def spend() -> Confirmation:
        _, confirmation = _live(purpose, handle)
        # One statement decides (DELETE … RETURNING); whoever comes second finds what the first left.
        if current_server.storage.take(_KIND, _key(purpose, handle)) is None:
            raise Refused("used")
        current_server.storage.put(_ENDED, _key(purpose, handle), {}, now() + REMEMBERED)
        return confirmation

    return transact(spend)


def match_code(purpose: str, handle: str, code: str) -> MatchedCode:
    """Compare a typed code; five wrong ones end it. Raises Refused, "unknown" for a wrong code.

    Not to be called inside a transaction: its rollback would forget that a code was tried.
    """
    if is_writing():
        raise RuntimeError("match_code() counts tries in a transaction of its own; call it before yours.")

    def compare() -> str | None:
        value, _ = _live(purpose, handle)
        tried = f"{_key(purpose, handle)} "
        # The try is counted first and given back when it was right, so that parallel guesses are no more than five.
        for number in range(codes.MOST_TRIES):
            if current_server.storage.put_once(_TRY, tried + str(number), {}, value["expires_at"] + REMEMBERED):
                break
        else:
            return "too many"
        if codes.matches(codes.typed(code), handle, value["code_hash"], current_server.settings):
            current_server.storage.take(_TRY, tried + str(number))
            return None
        return "too many" if number == codes.MOST_TRIES - 1 else "unknown"

    refusal = transact(compare)
    if refusal is not None:
        raise Refused(refusal)
    return MatchedCode(handle)


def redeem_code(purpose: str, handle: str, code: str) -> Confirmation:
    """match_code() and redeem() in one, for a caller who has nothing else to write. Not inside a transaction. Raises Refused."""
    return redeem(purpose, match_code(purpose, handle, code))


def _live(purpose: str, handle: str) -> tuple[dict[str, Any], Confirmation]:
    """What is stored under a handle, if it can still be redeemed. Raises Refused."""
    key = _key(purpose, handle)
    value = current_server.storage.read(_KIND, key)
    if value is None:
        raise Refused("used" if current_server.storage.read(_ENDED, key) is not None else "unknown")
    newest = current_server.storage.read(_NEWEST, _person(purpose, value["account_id"], value["email"]))
    if value["expires_at"] <= now() or newest is None:
        raise Refused("expired")
    if not hmac.compare_digest(newest["handle_hash"], _hash(handle)):
        raise Refused("expired")
    known = {name: value[name] for name in ("account_id", "email", "data", "begun_at", "expires_at")}
    return value, Confirmation(purpose=purpose, **known)


def _handle(proof: str | MatchedCode) -> str:
    return proof.handle if isinstance(proof, MatchedCode) else _handle_of(proof)


def _handle_of(link_secret: str) -> str:
    """The handle follows from the secret of the link, and nothing leads back (RC-15)."""
    return _hash(f"handle {link_secret}")


def _key(purpose: str, handle: str) -> str:
    return f"{purpose} {handle}"


def _person(purpose: str, account_id: str | None, email: str) -> str:
    return f"{purpose} account {account_id}" if account_id is not None else f"{purpose} address {email.casefold()}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
