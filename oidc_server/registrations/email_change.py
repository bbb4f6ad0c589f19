"""Another e-mail address: the new one is proven first, the owner of the old one is told and can undo it. ASVS 6.3.7, row RC-11."""

from __future__ import annotations

from .. import audit, confirmations, mail, sessions
from ..accounts import Account, AccountExists, IdentifierRefused, proofs, store
from ..accounts.identifiers import email_of, key_of
from ..accounts.throttle.mails import take_slot
from ..confirmations import Confirmation, MatchedCode, Refused
from ..database import now, transact
from ..languages import translate
from ..server import current_server
from ..tokens import families
from .creation import mail_language

PURPOSE = "change_email"
UNDO = "undo_email_change"


def begin_email_change(
    account: Account, new_email: str, language: str | None = None, *, network: str | None = None
) -> str:
    """Send a mail to the new address; the handle for its code. Nothing changes before it is answered.

    Raises IdentifierRefused, and AccountExists unless accounts are hidden: then a mail tells the owner of the address instead.
    """
    settings = current_server.settings
    address = email_of(new_email)
    if key_of(address) == account.email_key:
        raise IdentifierRefused(translate("This is the address that you have already."))

    def begin() -> str:
        owner = store.find_by_login(address)
        if owner is not None and not settings.hide_accounts:
            raise AccountExists("email")
        may_send = take_slot(PURPOSE, account.id)
        begun = confirmations.begin(
            PURPOSE if may_send else "nothing",
            account_id=account.id,
            email=address,
            data={"state": proofs.state_of(account), "is_taken": owner is not None},
            lifetime=settings.email_confirmation_lifetime,
        )
        if may_send and owner is not None:
            spoken = mail_language(owner, language)
            mail.send("account_exists", owner.email or address, language=spoken, account_id=owner.id, network=network)
        elif may_send:
            mail.send(
                "email_change",
                address,
                language=mail_language(account, language),
                account_id=account.id,
                link=settings.url(f"/verify?change={begun.link_secret}"),
                code=begun.code,
                ends_at=begun.expires_at,
                network=network,
            )
        return begun.handle

    return transact(begin)


def look_at_email_change(proof: str | MatchedCode) -> Confirmation:
    """What a link or code would change; changes nothing. Raises confirmations.Refused."""
    return confirmations.look(PURPOSE, proof)


def match_email_change_code(handle: str, code: str) -> MatchedCode:
    """The proof for confirm_email_change() that a typed code is. Raises confirmations.Refused."""
    return confirmations.match_code(PURPOSE, handle, code)


def confirm_email_change(proof: str | MatchedCode, *, network: str | None = None) -> Account:
    """Give the account its new address and tell the old one. Raises confirmations.Refused, and AccountExists if it was taken meanwhile."""

    def change() -> Account:
        confirmation = confirmations.redeem(PURPOSE, proof)
        if confirmation.data.get("is_taken"):
            raise Refused("unknown")
        assert confirmation.account_id is not None
        before = proofs.require_state(confirmation.account_id, confirmation.data["state"])
        old_email, was_verified = before.email, before.email_verified
        account = proofs.change_email(confirmation.account_id, confirmation.email)
        if old_email is not None:
            _tell(account, old_email, was_verified, network)
        return account

    try:
        account = transact(change)
    except proofs.ProofOutdated as error:
        raise Refused("expired") from error
    audit.record(audit.EMAIL_CHANGED, account_id=account.id, network=network)
    return account


def look_at_undo(link_secret: str) -> Confirmation:
    """Which address a link to undo a change would bring back; changes nothing. Raises confirmations.Refused."""
    return confirmations.look(UNDO, link_secret)


def undo_email_change(link_secret: str) -> Account:
    """Bring the earlier address back and end everything that is open: somebody else was at the account.

    Raises confirmations.Refused, and AccountExists when somebody else proved the address meanwhile.
    """

    def undo() -> Account:
        confirmation = confirmations.redeem(UNDO, link_secret)
        account_id = confirmation.data["account_id"]
        proofs.release_unproven(confirmation.email, by_others_than=account_id)
        account = proofs.change_email(account_id, confirmation.email)
        confirmations.end(PURPOSE, account_id=account.id)
        store.sign_out(account.id)
        sessions.store.end_all(account.id)
        families.revoke_account(account.id, "email change undone")
        return account

    try:
        account = transact(undo)
    except proofs.ProofOutdated as error:
        raise Refused("expired") from error
    audit.record(audit.EMAIL_CHANGE_UNDONE, account_id=account.id)
    return account


def _tell(account: Account, old_email: str, was_verified: bool, network: str | None) -> None:
    settings = current_server.settings
    values: dict[str, object] = {}
    if was_verified:  # an address that nobody ever proved brings nothing back
        begun = confirmations.begin(
            # Kept by the address, not by the account: a thief who changes twice would end the link of the owner.
            UNDO,
            account_id=None,
            email=old_email,
            data={"account_id": account.id},
            lifetime=settings.email_undo_lifetime,
        )
        values = {"link": settings.url(f"/verify?undo={begun.link_secret}"), "ends_at": begun.expires_at}
    mail.send(
        "email_changed",
        old_email,
        language=mail_language(account, None),
        account_id=account.id,
        new_email=account.email,
        at=now(),
        network=network,
        **values,
    )
