"""POST login and logout: the session of the sign-in page, for a program that has a form of its own. Rows EN-02, BF-01, SE-09, SE-10."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .. import accounts, csrf, factors, languages, registrations, sessions
from ..accounts import Account
from ..networks import client_network
from ..server import current_server
from ..sessions import proof
from ..tokens import sign_in
from .answers import account_of, answer, nothing
from .operations import LOGIN, LOGOUT
from .problem import Problem

# What a password alone proves (RFC 8176 §2).
_AMR = ["pwd"]
#: The kinds of second steps that the field `code` can carry.
TYPED = (factors.totp.KIND, "recovery_code")


def mount(blueprint: Blueprint) -> None:
    blueprint.post("/login", provide_automatic_options=False)(login)
    blueprint.post("/logout", provide_automatic_options=False)(logout)


def login() -> Response:
    """200 with the session's cookie; every step that is due is in the same request, so nothing is half signed in."""
    sent = LOGIN.read()
    try:
        account = proof.authenticate(sent["login"], sent["password"])
    except accounts.WrongCredentials as error:
        raise Problem("wrong-credentials") from error
    if registrations.must_verify(account):
        raise Problem("email-not-verified", request=_send_verification(account))
    acr, amr = factors.ONE_FACTOR, _AMR
    found = factors.of(account.id)
    if not factors.reaches(acr, factors.acr_needed(account, found)):
        acr, amr = factors.TWO_FACTORS, factors.together(_AMR, [_prove(account, found, sent.get("code"))])
    session = sign_in.open_session(account, acr=acr, amr=amr)
    body = {"account": account_of(account), "acr": acr, "amr": amr, "auth_time": int(session.auth_time)}
    return answer(200, body)


def logout() -> Response:
    """204, whether or not somebody was signed in."""
    LOGOUT.read()
    session = sessions.current()
    if session is not None:
        sign_in.close_session(session)
    return nothing()


def _prove(account: Account, found: list[factors.Factor], code: str | None) -> str:
    """Check the second factor; its value for `amr`. Raises Problem with what to do next."""
    kinds = {factor.kind for factor in found}
    if factors.recovery_codes.remaining(account.id) > 0:
        kinds.add("recovery_code")
    if not kinds & set(TYPED):
        raise Problem("sign-in-page-needed", url=current_server.settings.url("/login"))
    if code is None:
        raise Problem("second-factor-required", field="code", factors=sorted(kinds))
    try:
        proven = factors.prove(account, code, network=client_network(request), device=csrf.browser_id())
    except factors.WrongCode as error:
        raise Problem("wrong-code", field="code", factors=sorted(kinds)) from error
    return proven.amr


def _send_verification(account: Account) -> str:
    return registrations.begin_verification(
        account,
        languages.current(),
        network=client_network(request),
        browser=registrations.browser_hash(),
    )
