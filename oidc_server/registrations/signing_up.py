"""Signing up: a new account, or with `hide_accounts` the promise of one that the answered mail makes true. Rows EN-04, RC-10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import audit, confirmations, mail
from ..accounts import Account, AccountExists, proofs, store
from ..accounts.claims import standard_claims
from ..accounts.identifiers import email_of, key_of, username_of
from ..accounts.throttle.mails import take_slot
from ..confirmations import Confirmation
from ..database import transact
from ..even_time import even_time
from ..server import current_server
from . import invitations, verification
from .creation import insert, mail_language, with_free_name
from .invitations import SignUpClosed

#: What only the server says of a person, however nicely it is asked (RC-10).
_NOT_SELF_ASSERTED = frozenset({"phone_number_verified"})


class Registered(NamedTuple):
    """Who signed up, None while that is hidden; and the handle under which the code of the mail counts, empty when none was needed."""

    account: Account | None
    handle: str


def register(
    *,
    email: str,
    password: str,
    username: str | None = None,
    claims: Mapping[str, Any] | None = None,
    language: str | None = None,
    invitation: str | None = None,
    network: str | None = None,
    browser: str = "",
    transaction: str = "",
) -> Registered:
    """Create the account of a person who chose this address and password. Not to be called inside transact().

    `invitation` is the secret of its link; the address is then the invited one, and confirmed. `browser` and `transaction` are kept for
    the page that confirms the address. Raises SignUpClosed, confirmations.Refused, IdentifierRefused, ClaimRefused, PasswordRefused,
    AccountExists (never with `hide_accounts`, but for the address of an invitation), Busy.
    """
    if invitation is None and not invitations.is_open():
        raise SignUpClosed
    invited = invitations.look_at_invitation(invitation) if invitation is not None else None
    address = email_of(invited.email if invited is not None else email)
    name = username_of(username) if username else None
    kept = standard_claims({name: value for name, value in (claims or {}).items() if name not in _NOT_SELF_ASSERTED})
    data = {"browser": browser, "transaction": transaction, "signed_up": True}
    if current_server.settings.hide_accounts and invited is None:
        with even_time():
            made = proofs.checked_hash(password, name, address)
            promised = data | {"password_hash": made, "username": name, "claims": kept}
            return Registered(None, _promise(address, promised, language, network))
    _require_free(address, name)
    made = proofs.checked_hash(password, name, address)
    account, handle = _create(address, name, kept, made, invitation, data, language, network)
    audit.record(audit.ACCOUNT_CREATED, account_id=account.id, network=network, by="sign-up")
    return Registered(account, handle)


def _create(
    address: str,
    name: str | None,
    claims: dict[str, Any],
    made: str,
    invitation: str | None,
    data: dict[str, Any],
    language: str | None,
    network: str | None,
) -> tuple[Account, str]:
    def create(name: str) -> tuple[Account, str]:
        if invitation is not None:
            invited = confirmations.redeem(invitations.PURPOSE, invitation)
            return insert(address, name, claims, made, is_verified=True, **_rights_of(invited)), ""
        account = insert(address, name, claims, made, is_verified=False)
        return account, verification.send(account, data, language, network)

    return with_free_name(name, address, create)


def _rights_of(invited: Confirmation) -> dict[str, list[str]]:
    return {"roles": list(invited.data["roles"]), "groups": list(invited.data["groups"])}


def _promise(address: str, data: dict[str, Any], language: str | None, network: str | None) -> str:
    """The same work and the same answer whether the address has an account or not; only its owner reads which (EN-04)."""
    settings = current_server.settings

    def promise() -> str:
        owner = store.find_by_login(address)
        may_send = take_slot(verification.PURPOSE, key_of(address))
        begun = confirmations.begin(
            # A mail too many is not sent, and must not end the links that were: its confirmation is nobody's.
            verification.PURPOSE if may_send else "nothing",
            account_id=None,
            email=address,
            data=data | {"is_taken": owner is not None},
            lifetime=settings.email_confirmation_lifetime,
        )
        if may_send and owner is not None:
            mail.send(
                "account_exists",
                owner.email or address,
                language=mail_language(owner, language),
                account_id=owner.id,
                network=network,
            )
        elif may_send:
            verification.send_link(address, begun, language, None, network)
        return begun.handle

    return transact(promise)


def _require_free(address: str, name: str | None) -> None:
    if store.find_by_login(address) is not None:
        raise AccountExists("email")
    if name is not None and store.find_by_login(name) is not None:
        raise AccountExists("username")
