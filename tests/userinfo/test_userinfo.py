"""What the person allowed the app to see (OIDC Core §5.3, RFC 6750)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests import flows
from tests.flows import Browser, Clock

PROFILE = {
    "name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender",
    "birthdate", "zoneinfo", "locale", "updated_at", "preferred_username",
}  # fmt: skip


@pytest.mark.spec("OIDC Core §5.4")
@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid profile", PROFILE),
        ("openid email", {"email", "email_verified"}),
        ("openid address", {"address"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid roles groups", {"roles", "groups"}),
    ],
)
def test_each_scope_brings_its_claims_and_no_others(app: Flask, alice: Browser, scope: str, names: set[str]) -> None:
    tokens = alice.obtain_tokens(scope=scope)
    person = flows.userinfo(app, tokens["access_token"])
    assert person.status_code == 200
    assert person.mimetype == "application/json"
    assert set(person.json) == names | {"sub"}
    assert person.json["sub"] == flows.claims_of(tokens["id_token"])["sub"]
    assert not (set(flows.claims_of(tokens["id_token"])) & PROFILE), "claims of scopes stay out of the ID token"


@pytest.mark.spec("OIDC Core §5.5")
def test_claims_asked_for_by_name_come_where_they_were_asked_for(app: Flask, alice: Browser) -> None:
    claims = json.dumps({"userinfo": {"name": {"essential": True}}, "id_token": {"email": None, "roles": None}})
    tokens = alice.obtain_tokens(scope="openid", claims=claims)
    assert set(flows.userinfo(app, tokens["access_token"]).json) == {"sub", "name"}
    identity = flows.claims_of(tokens["id_token"])
    assert identity["email"] == "alice@example.test"
    assert "name" not in identity
    assert "roles" not in identity, "roles open doors: they follow their scope alone"


@pytest.mark.spec("OIDC Core §5.3.1", "RFC 6750 §2.2")
def test_get_and_post_with_header_or_body(app: Flask, alice: Browser, machine: Any) -> None:
    token = alice.obtain_tokens()["access_token"]
    bearer, base = {"Authorization": f"Bearer {token}"}, flows.base_url(app)
    answers = [
        machine.get("/userinfo", headers=bearer, base_url=base),
        machine.post("/userinfo", headers=bearer, base_url=base),
        machine.post("/userinfo", data={"access_token": token}, base_url=base),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json == answers[1].json == answers[2].json
    assert answers[0].headers["Cache-Control"] == "no-store"


@pytest.mark.row("IN-11")
@pytest.mark.parametrize(
    ("scheme", "status"), [("bearer ", 200), ("BEARER ", 200), ("Bearer  ", 400), ("Bearer\t", 400)]
)
def test_the_scheme_has_any_case_and_exactly_one_space(
    app: Flask, alice: Browser, machine: Any, scheme: str, status: int
) -> None:
    token = alice.obtain_tokens()["access_token"]
    response = machine.get("/userinfo", headers={"Authorization": scheme + token}, base_url=flows.base_url(app))
    assert response.status_code == status


@pytest.mark.row("IN-10")
@pytest.mark.spec("RFC 6750 §3.1")
def test_without_a_token_there_is_no_error_code(app: Flask, machine: Any) -> None:
    response = machine.get("/userinfo", base_url=flows.base_url(app))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert "error=" not in response.headers["WWW-Authenticate"]


@pytest.mark.row("IN-10")
@pytest.mark.spec("RFC 6750 §2", "RFC 6750 §2.3")
def test_two_ways_at_once_and_the_query_are_refused(app: Flask, alice: Browser, machine: Any) -> None:
    token = alice.obtain_tokens()["access_token"]
    base, bearer = flows.base_url(app), {"Authorization": f"Bearer {token}"}
    twice = machine.post("/userinfo", headers=bearer, data={"access_token": token}, base_url=base)
    in_query = machine.get(f"/userinfo?access_token={token}", base_url=base)
    for response in (twice, in_query):
        assert response.status_code == 400
        assert 'error="invalid_request"' in response.headers["WWW-Authenticate"]
        assert "sub" not in response.json


@pytest.mark.row("IN-10", "JW-20", "IN-16")
def test_a_token_for_an_api_is_no_token_for_userinfo(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="openid photos:read", resource="https://api.photos.example/")
    response = flows.userinfo(app, tokens["access_token"])
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.row("IN-10")
def test_without_openid_the_scope_is_insufficient(app: Flask, alice: Browser) -> None:
    tokens = alice.obtain_tokens(scope="profile")
    response = flows.userinfo(app, tokens["access_token"])
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


@pytest.mark.row("IN-10", "RT-12", "JW-19", "JW-01")
def test_what_is_no_access_token_of_ours_is_an_invalid_token(app: Flask, alice: Browser, clock: Clock) -> None:
    tokens = alice.obtain_tokens(scope="openid offline_access")
    header, payload, signature = tokens["access_token"].split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"
    bad = [
        tokens["id_token"],
        tokens["refresh_token"],
        f"{unsigned}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        "x",
    ]
    for token in bad:
        response = flows.userinfo(app, token)
        assert response.status_code == 401, token
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    clock.advance(901)
    assert flows.userinfo(app, tokens["access_token"]).status_code == 401


@pytest.mark.row("WB-08", "HT-10")
@pytest.mark.parametrize("path", ["/userinfo/x.css", "/userinfo/", "//userinfo", "/userinfo;.js", "/userinfo%00"])
def test_no_other_path_answers(app: Flask, alice: Browser, machine: Any, path: str) -> None:
    token = alice.obtain_tokens()["access_token"]
    response = machine.get(path, headers={"Authorization": f"Bearer {token}"}, base_url=flows.base_url(app))
    assert response.status_code == 404
