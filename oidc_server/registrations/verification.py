"""That a person reads their e-mail address: asked by mail, answered by link or code. SP 800-63B-4 §3.1.3.1, rows RC-02, RC-03, RC-08."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import audit, confirmations, mail
from ..accounts import Account, AccountExists, WrongCredentials, authenticate, proofs, store
from ..accounts.identifiers import MAX_EMAIL_LENGTH
from ..accounts.passwords import MAX_LENGTH, current_passwords
from ..accounts.throttle.mails import take_slot
from ..confirmations import Begun, Confirmation, MatchedCode, Refused
from ..database import transact
from ..server import current_server
from . import usernames
from .creation import insert, mail_language, with_free_name

PURPOSE = "verify_email"


class Verified(NamedTuple):
    """Whose address it is, and what was known when the mail was asked for: `browser`, `transaction`, `signed_up`."""

    account: Account
    confirmation: Confirmation


def must_verify(account: Account) -> bool:
    """Whether this person may not sign in before they showed that they read their address."""
    return current_server.settings.require_verified_email and bool(account.email) and not account.email_verified


def begin_verification(
    account: Account,
    language: str | None = None,
    *,
    network: str | None = None,
    browser: str = "",
    transaction: str = "",
) -> str:
    """Send the person a mail to confirm the address of their account; the handle for its code. An earlier mail's link ends."""
    return transact(lambda: send(account, {"browser": browser, "transaction": transaction}, language, network))


def look_at(proof: str | MatchedCode) -> Confirmation:
    """What a link or code would confirm; changes nothing. Raises confirmations.Refused."""
    return confirmations.look(PURPOSE, proof)


def match_code(handle: str, code: str) -> MatchedCode:
    """The proof for verify_email() that a typed code is. Raises confirmations.Refused."""
    return confirmations.match_code(PURPOSE, handle, code)


def verify_email(proof: str | MatchedCode) -> Account:
    """Confirm an address, by the secret of a link or a matched code; where accounts are hidden, the account begins. Raises as verify()."""
    return verify(proof).account


def verify(proof: str | MatchedCode) -> Verified:
    """As verify_email(), with what was confirmed. Raises confirmations.Refused; "used" also if the address was taken meanwhile."""

    def redeem(name: str) -> Verified:
        confirmation = confirmations.redeem(PURPOSE, proof)
        if confirmation.account_id is not None:
            return Verified(proofs.confirm_email(confirmation.account_id, confirmation.email), confirmation)
        return Verified(_keep_promise(confirmation, name), confirmation)

    looked = confirmations.look(PURPOSE, proof)
    is_new = looked.account_id is None
    try:
        verified = with_free_name(_promised_name(looked), looked.email, redeem)
    except proofs.ProofOutdated as error:
        raise Refused("expired") from error
    except AccountExists as error:
        raise Refused("used") from error
    if is_new:
        audit.record(audit.ACCOUNT_CREATED, account_id=verified.account.id, by="sign-up")
    audit.record(audit.EMAIL_VERIFIED, account_id=verified.account.id)
    return verified


def disown(link_secret: str) -> None:
    """The owner of an address did not sign up: the account goes, if nobody confirmed it so far. Raises confirmations.Refused."""

    def remove() -> str | None:
        confirmation = confirmations.redeem(PURPOSE, link_secret)
        account_id = confirmation.account_id
        account = store.find(account_id) if account_id is not None else None
        if account is not None and confirmation.data.get("signed_up") and not account.email_verified:
            store.delete(account.id)
        return account_id

    audit.record(audit.SIGN_UP_DISOWNED, account_id=transact(remove))


def send(account: Account, data: dict[str, Any], language: str | None, network: str | None) -> str:
    """Begin a confirmation of the account's address and write the mail, in the caller's transaction; the handle for its code."""
    assert account.email is not None
    may_send = take_slot(PURPOSE, account.id)
    begun = confirmations.begin(
        PURPOSE if may_send else "nothing",
        account_id=account.id,
        email=account.email,
        data=data,
        lifetime=current_server.settings.email_confirmation_lifetime,
    )
    if may_send:
        send_link(account.email, begun, mail_language(account, language), account.id, network)
    return begun.handle


def send_link(address: str, begun: Begun, language: str | None, account_id: str | None, network: str | None) -> None:
    """The mail with link and code."""
    mail.send(
        "verify_email",
        address,
        language=language,
        account_id=account_id,
        link=current_server.settings.url(f"/verify?link={begun.link_secret}"),
        code=begun.code,
        ends_at=begun.expires_at,
        network=network,
    )


def _promised_name(confirmation: Confirmation) -> str | None:
    name: str | None = confirmation.data.get("username")
    if name is not None and store.find_by_login(name) is not None:
        return usernames.with_number(name)  # that somebody has it was not to be told when it was chosen
    return name


def _keep_promise(confirmation: Confirmation, name: str) -> Account:
    data = confirmation.data
    if data.get("is_taken"):
        raise Refused("unknown")  # the code of a mail that nobody got
    return insert(confirmation.email, name, data["claims"], data["password_hash"], is_verified=True)


def knows_password(confirmation: Confirmation, password: str, *, network: str, device: str | None) -> bool:
    """Whether this is the password that was chosen with the sign-up that a link is about. Raises accounts.TooManyAttempts and Busy.

    Asked where the link is followed in another browser: a stranger may have signed up with the address, and its owner's click alone must
    not make it the stranger's.
    """
    if confirmation.account_id is None:
        return current_passwords().verify(password[:MAX_LENGTH], confirmation.data["password_hash"])
    try:
        found = authenticate(confirmation.email, password, network=network, device=device, is_whole=False)
    except WrongCredentials:
        return False
    return found.id == confirmation.account_id


def ask_again(email: str, language: str | None = None, *, network: str | None = None, browser: str = "") -> str:
    """Another mail for the account with this address, if there is one and it waits for it; a handle in any case."""
    typed = email.strip()[:MAX_EMAIL_LENGTH]
    account = store.find_by_login(typed)

    def ask() -> str:
        if account is not None and account.is_active and account.email and not account.email_verified:
            return send(account, {"browser": browser, "transaction": ""}, language, network)
        return confirmations.begin(
            "nothing",
            account_id=None,
            email=typed,
            data={},
            lifetime=current_server.settings.email_confirmation_lifetime,
        ).handle

    return transact(ask)
