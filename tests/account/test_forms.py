"""What holds for every form of the account: it comes from our own page in this very browser, and GET changes nothing."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from oidc_server.database import Base, db
from tests.flows import Browser

from ..pages.samples import Page

PAGES = ["", "/profile", "/email", "/password", "/sessions", "/apps", "/activity", "/data", "/data/delete", "/secure"]
# What other people look after: their pages have tests of their own, the refusal of foreign forms holds for them too.
_EMPTY_AT = {"/account/passkeys/options"}


def posts(app: Flask) -> list[str]:
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/account")
    )


def everything(app: Flask) -> str:
    with app.app_context():
        return repr(
            [
                (t.name, db.session.execute(sa.select(t).order_by(*t.primary_key)).all())
                for t in Base.metadata.sorted_tables
            ]
        )


@pytest.mark.row("WB-09", "SE-01")
def test_no_form_counts_without_its_token(app: Flask, alice: Browser, phone: Browser) -> None:
    alice.obtain_tokens(scope="openid")
    before = everything(app)
    assert len(posts(app)) >= 12
    for path in posts(app):
        answers = [
            alice.post(path, data={"client_id": "web"}),
            alice.post(path, data={"csrf_token": "A" * 64}),
            alice.post(path, data="csrf_token=x", content_type="text/plain"),
            alice.post(path, data="{}", content_type="application/json"),
        ]
        assert [answer.status_code for answer in answers[:2]] == [403, 403], path
        assert all(answer.status_code in (400, 403) for answer in answers[2:]), path
    assert everything(app) == before


@pytest.mark.row("WB-09")
@pytest.mark.parametrize(
    "said", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_no_form_counts_that_another_site_sent(app: Flask, alice: Browser, said: dict[str, str]) -> None:
    for path in ("/account/profile", "/account/data/delete", "/account/secure"):
        text = alice.get(path).text
        token = re.search(rf'action="{path}".*?name="csrf_token" value="([^"]+)"', text, re.S)
        assert token is not None
        assert alice.post(path, data={"csrf_token": token[1]}, headers=said).status_code == 403
    assert alice.get("/account").status_code == 200


@pytest.mark.row("WB-09")
def test_a_token_counts_for_its_form_and_its_browser_alone(alice: Browser, phone: Browser) -> None:
    tokens = {}
    for path in ("/account/profile", "/account/secure"):
        text = alice.get(path).text
        found = re.search(rf'action="{path}".*?name="csrf_token" value="([^"]+)"', text, re.S)
        assert found is not None
        tokens[path] = found[1]
    assert alice.post("/account/secure", data={"csrf_token": tokens["/account/profile"]}).status_code == 403
    assert phone.post("/account/secure", data={"csrf_token": tokens["/account/secure"]}).status_code == 403


@pytest.mark.row("WB-10")
def test_looking_at_the_pages_changes_nothing(app: Flask, alice: Browser) -> None:
    alice.obtain_tokens(scope="openid")
    before = everything(app)
    for page in PAGES:
        assert alice.get(f"/account{page}").status_code == 200
        assert alice.client.head(f"/account{page}", base_url="https://id.example.test").status_code == 200
    for path in posts(app):
        if f"{path}".removeprefix("/account") not in PAGES and path not in _EMPTY_AT:
            assert alice.get(path).status_code in (200, 303, 404, 405)
    assert everything(app) == before


@pytest.mark.row("WB-04", "WB-05", "WB-12", "WB-13")
@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_well_formed_labelled_and_loads_from_here_alone(alice: Browser, phone: Browser, page: str) -> None:
    alice.obtain_tokens(scope="openid")
    answer = alice.get(f"/account{page}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    found = Page(answer.text)
    ids = [element.get("id") for element in found.elements if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len(found.all("h1")) == len(found.all("main")) == 1
    assert found.all("h1")[0].text.strip()
    labels = {label.get("for") for label in found.all("label")}
    for tag in ("input", "select", "textarea"):
        for field in found.all(tag):
            assert field.get("type") == "hidden" or "hidden" in field.attributes or field.get("id") in labels
    for element in found.elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        for name in ("for", "aria-describedby", "list"):
            assert set(element.get(name).split()) <= set(ids)
        if element.tag in ("script", "link", "img"):
            assert (element.get("src") or element.get("href")).startswith("/static/")
    for control in found.all("button") + found.all("a") + found.all("summary"):
        assert control.text.strip() or control.get("aria-label")
    for form in found.all("form"):
        assert form.get("method") == "post"
        assert found.within(form, "input")[0].get("name") == "csrf_token"
    assert "!" not in found.all("main")[0].text
    for moment in found.all("time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment.get("datetime")) and moment.get("title")
