"""POST register and verify: a new account, and the proof that its address is the person's. Rows EN-04, RC-10, SE-13."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .. import csrf, languages, rate_limits, registrations
from ..networks import client_network
from ..registrations import fields
from .answers import account_of, answer, proof_of
from .operations import REGISTER, VERIFY
from .problem import Problem


def mount(blueprint: Blueprint) -> None:
    blueprint.post("/register", provide_automatic_options=False)(register)
    blueprint.post("/verify", provide_automatic_options=False)(verify)


def register() -> Response:
    """201 with the account, or 202 where accounts are hidden."""
    sent = REGISTER.read()
    invitation, network = sent.get("invitation"), client_network(request)
    if invitation is None and not registrations.is_open():
        raise registrations.SignUpClosed
    rate_limits.hit("sign_up", network)
    email = registrations.look_at_invitation(invitation).email if invitation is not None else sent["email"]
    if problems := fields.problems_of(sent, email):
        raise Problem("invalid-fields", errors=problems)
    try:
        registered = registrations.register(
            email=email,
            password=sent["password"],
            username=sent.get("username"),
            claims=fields.claims_of(sent),
            language=languages.current(),
            invitation=invitation,
            network=network,
            browser=registrations.browser_hash(),
        )
    except registrations.AccountExists as error:
        raise Problem("account-exists", errors=fields.taken(error.field)) from error
    sent_mail = {"request": registered.handle} if registered.handle else {}
    if registered.account is None:
        return answer(202, sent_mail)
    must_verify = registrations.must_verify(registered.account)
    return answer(201, {"account": account_of(registered.account), **sent_mail, "verification_required": must_verify})


def verify() -> Response:
    """200 with the account, which may begin with this."""
    sent = VERIFY.read()
    rate_limits.hit("confirm", client_network(request))
    proof = proof_of(sent, registrations.match_code)
    if isinstance(proof, str):
        _require_who_signed_up(proof, sent.get("password"))
    return answer(200, {"account": account_of(registrations.verify_email(proof))})


def _require_who_signed_up(link: str, password: str | None) -> None:
    confirmation = registrations.look_at(link)
    if registrations.is_this_browser(confirmation):
        return
    if password is None:
        raise Problem("password-required")
    if not registrations.knows_password(
        confirmation, password, network=client_network(request), device=csrf.browser_id()
    ):
        raise Problem("wrong-credentials")
