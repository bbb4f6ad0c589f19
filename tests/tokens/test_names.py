"""Families of one second lie together in their index, a code leads to the family that it gave, and nobody reads the time from either."""

from __future__ import annotations

import base64
import re

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.database import db
from oidc_server.tokens import families, names
from oidc_server.tokens.models import Family
from tests import flows
from tests.flows import Browser, claims_of

AT = 1_800_000_000.0


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_what_begins_in_one_second_has_one_place_and_else_nothing_in_common(app: Flask) -> None:
    with app.app_context():
        made = [raw(names.make(AT + number / 100)) for number in range(100)]
        codes = [names.make_code(AT + number / 100) for number in range(100)]
        of_codes = [raw(names.of_code(code)) for code in codes]
        elsewhere = {raw(names.make(AT + number))[:2] for number in range(300)}
    assert {len(name) for name in made + of_codes} == {16}
    assert {len(raw(code)) for code in codes} == {34}
    assert len({name[:2] for name in made + of_codes} | {raw(code)[:2] for code in codes}) == 1
    assert len({name[2:] for name in made + of_codes}) == 200
    assert len(elsewhere) > 290


@pytest.mark.row("EN-08")
def test_a_place_follows_from_the_second_for_nobody_without_the_key(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        ours = [raw(names.make(AT + number))[:2] for number in range(100)]
        own = app.extensions["oidc_server"].settings.derive_key
        monkeypatch.setattr(type(app.extensions["oidc_server"].settings), "derive_key", lambda _, what: own(what)[::-1])
        theirs = [raw(names.make(AT + number))[:2] for number in range(100)]
    assert sum(one == other for one, other in zip(ours, theirs, strict=True)) < 5
    assert ours != sorted(ours)


@pytest.mark.spec("RFC 6749 §4.1.2")
def test_a_code_leads_to_the_family_that_it_gave_and_reveals_nothing_by_it(app: Flask, alice: Browser) -> None:
    code = alice.obtain_code(scope="openid photos:read", resource="https://api.photos.example/")
    with app.app_context():
        assert families.find_by_code(code) is None
    family_id = claims_of(flows.redeem(app, code).json["access_token"])["jti"].partition(".")[0]
    with app.app_context():
        found = families.find_by_code(code)
        assert found is not None
        assert found.id == names.of_code(code) == family_id
    # Nothing of the code's 256 bits is in the name.
    assert not any(raw(code)[first : first + 3] in raw(family_id) for first in range(2, 32))


@pytest.mark.spec("RFC 6749 §5.2")
@pytest.mark.parametrize(
    "change", [str.lower, str.upper, str.swapcase, lambda code: code[:-1], lambda code: code + "A"]
)
def test_what_is_almost_a_code_leads_nowhere(app: Flask, alice: Browser, change: object) -> None:
    assert callable(change)
    code = alice.obtain_code(scope="openid")
    assert flows.redeem(app, code).status_code == 200
    almost = str(change(code))
    with app.app_context():
        assert families.find_by_code(almost) is None
    answer = flows.redeem(app, almost)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("text", ["", "=", "A" * 43, "A" * 45, "+" * 46, "é" * 46, "A" * 46 + "\n", "\ud800" * 46])
def test_what_is_no_code_of_ours_has_a_name_too(text: str) -> None:
    """The codes of the version before this one had 43 characters; their families are found again like all others."""
    name = names.of_code(text)
    assert len(raw(name)) == 16
    assert name == names.of_code(text) != names.of_code(text + "A")


def test_a_family_that_no_code_gave_has_a_name_as_well(app: Flask) -> None:
    credentials = {"username": "alice", "password": "correct horse battery staple"}
    answer = flows.token_request(app, "machine", grant_type="password", scope="openid", **credentials)
    assert answer.status_code == 200, answer.text
    with app.app_context():
        (family_id,) = db.session.scalars(sa.select(Family.id)).all()
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", family_id)
