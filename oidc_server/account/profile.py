"""GET and POST /account/profile: the standard claims of a person (OIDC Core §5.1), each with its own check and sentence."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from .. import audit, csrf, languages, strict_form
from ..accounts import store
from ..accounts.claims import ADDRESS_MEMBERS
from ..database import transact
from ..errors import Pages
from ..form import Form
from ..sessions import Session
from . import notices, person
from .profile_fields import FIELDS, FieldRefused, read, zones

blueprint = Pages("account_profile", __name__)


@blueprint.get("/account/profile")
def show() -> Response:
    session = person.require_person()
    return _form(session, _values_of(session.account.claims))


@blueprint.post("/account/profile")
def change() -> Response:
    """Keep all fields, or say which of them cannot be kept and keep none."""
    form = strict_form.read_page_form(request)
    csrf.check(form, "account profile")
    session = person.require_person()
    claims, problems = _read(form)
    if problems:
        return _form(session, {field.name: form.get(field.name, "") for field in FIELDS}, problems, 422)

    def keep() -> None:
        before = session.account.updated_at
        if store.update_claims(session.account_id, claims).updated_at != before:
            audit.record(audit.ACCOUNT_UPDATED, account_id=session.account_id, by="person")

    transact(keep)
    return notices.go_on("/account/profile", "saved")


def _read(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """The claims as they are kept, None for what was emptied; and the sentence for each field that cannot be."""
    claims: dict[str, Any] = {}
    address: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in FIELDS:
        try:
            value = read(field, form.get(field.name, ""))
        except FieldRefused as refused:
            problems[field.name] = str(refused)
            continue
        if field.name in ADDRESS_MEMBERS:
            if value is not None:
                address[field.name] = value
        else:
            claims[field.name] = value
    return claims | {"address": address or None}, problems


def _values_of(claims: dict[str, Any]) -> dict[str, str]:
    address = claims.get("address") or {}
    return {
        field.name: str((address if field.name in ADDRESS_MEMBERS else claims).get(field.name) or "")
        for field in FIELDS
    }


def _form(
    session: Session, values: dict[str, str], problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return person.show(
        "account/profile.html",
        session,
        status,
        fields={field.name: field for field in FIELDS},
        values=values,
        problems=problems or {},
        zones=zones(),
        language_names=languages.NAMES,
    )
