"""POST recover, reset and password: the way back with a mail, and a new password by the present one. Rows EN-03, RC-02 to RC-08."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .. import languages, rate_limits, recoveries, sessions
from ..networks import client_network
from ..sessions import proof
from .answers import answer, nothing, proof_of
from .operations import CHANGE_PASSWORD, RECOVER, RESET
from .problem import Problem, busy, too_many


def mount(blueprint: Blueprint) -> None:
    for name, view in (("recover", recover), ("reset", reset), ("password", change)):
        blueprint.post(f"/{name}", endpoint=name, provide_automatic_options=False)(view)


def recover() -> Response:
    """202 with a handle, whoever it is."""
    sent = RECOVER.read()
    network = client_network(request)
    rate_limits.hit("recover", network)
    return answer(202, {"request": recoveries.begin(sent["login"], language=languages.current(), network=network)})


def reset() -> Response:
    """204; the person signs in with the new password."""
    sent = RESET.read()
    network = client_network(request)
    rate_limits.hit("confirm", network)
    proven = proof_of(sent, recoveries.match_code)
    session = sessions.current()
    # Only who is signed in here as that very person can choose to stay so.
    is_same = session is not None and session.account_id == recoveries.look(proven).account_id
    keep_sid = session.sid if session is not None and is_same and sent.get("keep_session") else None
    try:
        recoveries.reset(proven, sent["password"], keep_sid=keep_sid, network=network)
    except recoveries.PasswordRefused as error:
        raise Problem("invalid-fields", errors={"password": error.reasons}) from error
    return nothing()


def change() -> Response:
    """204 with a new value of the cookie."""
    sent = CHANGE_PASSWORD.read()
    session = sessions.current()
    if session is None:
        raise Problem("sign-in-required")
    if not proof.is_recent(session):
        raise Problem("sign-in-too-old")
    try:
        recoveries.change(
            session, sent["current_password"], sent["password"], ends_others=not sent.get("keep_others", False)
        )
    except proof.NotProved as error:
        if error.wait is None:
            raise Problem("wrong-password") from error
        raise (too_many if error.status == 429 else busy)(error.wait) from error
    except recoveries.PasswordRefused as error:
        raise Problem("invalid-fields", errors={"password": error.reasons}) from error
    return nothing()
