"""Setting a new password by what stood in the mail. Rows RC-02 to RC-06, RC-14."""

from __future__ import annotations

from .. import audit, confirmations, mail, sessions
from ..accounts import Account, proofs, store
from ..confirmations import Confirmation, MatchedCode, Refused
from ..database import now, transact
from ..tokens import families
from .asking import PURPOSE


def look(proof: str | MatchedCode) -> Confirmation:
    """Whose password a link or code would set; changes nothing. Raises confirmations.Refused."""
    confirmation = confirmations.look(PURPOSE, proof)
    account = store.find(confirmation.account_id) if confirmation.account_id is not None else None
    if account is None:
        raise Refused("unknown")
    if not account.is_active or proofs.state_of(account) != confirmation.data["state"]:
        raise Refused("expired")  # the address or the password is another by now (RC-03)
    return confirmation


def match_code(handle: str, code: str) -> MatchedCode:
    """The proof for reset() that a typed code is. Raises confirmations.Refused."""
    return confirmations.match_code(PURPOSE, handle, code)


def reset(
    proof: str | MatchedCode, password: str, *, keep_sid: str | None = None, network: str | None = None
) -> Account:
    """Give the person a new password, end their sessions and all that apps hold, and tell them by mail.

    The session of this browser outlives it if `keep_sid` names it, under a new cookie value; how and when it began stays true.

    Not to be called inside transact(). Raises confirmations.Refused, PasswordRefused (the link or code can be used again) and Busy.
    """
    confirmation = look(proof)
    account = store.find(confirmation.account_id or "")
    assert account is not None
    current = sessions.current() if keep_sid is not None else None
    kept = current if current is not None and (current.sid, current.account_id) == (keep_sid, account.id) else None
    made = proofs.checked_hash(password, account.username, account.email)

    def change() -> tuple[Account, bool]:
        redeemed = confirmations.redeem(PURPOSE, proof)
        before = proofs.require_state(redeemed.account_id or "", redeemed.data["state"])
        is_news = not before.email_verified
        proofs.confirm_email(before.id, redeemed.email)  # whoever answers the mail reads the address
        fresh = proofs.set_hash(before.id, made)
        proofs.forget_devices(fresh.id)
        sessions.store.end_all(fresh.id, except_sid=kept.sid if kept is not None else None)
        families.revoke_account(fresh.id, "password reset")
        mail.send(
            "password_changed",
            redeemed.email,
            language=fresh.claims.get("locale"),
            account_id=fresh.id,
            at=now(),
            network=network,
        )
        return fresh, is_news

    try:
        changed, is_news = transact(change)
    except proofs.ProofOutdated as error:
        raise Refused("expired") from error
    if kept is not None:
        sessions.store.renew(kept)
    audit.record(audit.RECOVERY_DONE, account_id=changed.id, network=network, kept_session=kept is not None)
    audit.record(audit.PASSWORD_SET, account_id=changed.id, by="mail", network=network)
    if is_news:
        audit.record(audit.EMAIL_VERIFIED, account_id=changed.id)
    return changed
