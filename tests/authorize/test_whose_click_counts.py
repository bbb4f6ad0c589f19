"""Only the button of the page that was shown, pressed in the browser it was shown to, by the person it was shown to, and once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests import flows
from tests.expectations import audited, expect_page, no_effect
from tests.flows import Browser, answer_of, form_of

PASSWORD = "correct horse battery staple"


@pytest.fixture
def consent(alice: Browser) -> dict[str, str]:
    """The hidden fields of the consent page that Alice sees."""
    return form_of(alice.authorize().text)[1] | {"decision": "allow"}


def without(fields: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key != name}


@pytest.mark.row("CO-01", "WB-09", "CO-07")
@pytest.mark.spec("RFC 6749 §10.12", "RFC 9700 §4.7")
def test_another_site_cannot_press_allow(app: Flask, alice: Browser, consent: dict[str, str]) -> None:
    with no_effect(app):
        forged: list[tuple[dict[str, str], dict[str, str]]] = [
            (without(consent, "csrf_token"), {}),
            (consent | {"csrf_token": "x"}, {}),
            (consent, {"Origin": "https://evil.example"}),
            (consent, {"Sec-Fetch-Site": "cross-site"}),
            (consent, {"Sec-Fetch-Site": "same-site"}),
            (
                consent
                | {
                    "csrf_token": form_of(alice.get("/login?transaction=" + consent["transaction"]).text)[1][
                        "csrf_token"
                    ]
                },
                {},
            ),
        ]
        for fields, headers in forged:
            expect_page(alice.post("/consent", fields, headers=headers), "access_denied", status=403)
    assert "code" in answer_of(alice.post("/consent", consent)), "the real one still works"


@pytest.mark.row("WB-09", "HT-02")
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_needs_no_form_changes_nothing(
    app: Flask, alice: Browser, consent: dict[str, str], content_type: str
) -> None:
    with no_effect(app):
        for path in ("/consent", "/login", "/logout"):
            expect_page(alice.post(path, urlencode(consent), content_type=content_type), "invalid_request")
        expect_page(alice.post("/consent?decision=allow", consent), "invalid_request")


@pytest.mark.row("WB-10", "CO-01")
def test_no_get_decides(app: Flask, alice: Browser, consent: dict[str, str]) -> None:
    with no_effect(app):
        for decision in ("allow", "deny", "switch"):
            response = alice.get("/consent", query_string=consent | {"decision": decision})
            assert 'id="consent-allow"' in response.text


@pytest.mark.row("CO-07")
@pytest.mark.spec("RFC 6819 §5.1.2.1")
@pytest.mark.parametrize(
    "changes",
    [{"approval": ""}, {"approval": "0" * 64}, {"approval": "\u00fc" * 64}, {"approval": "x" * 8000}],
    ids=["empty", "zeros", "not ascii", "long"],
)
def test_without_the_page_that_was_shown_allow_is_refused(
    app: Flask, alice: Browser, consent: dict[str, str], changes: dict[str, str]
) -> None:
    with no_effect(app):
        expect_page(alice.post("/consent", consent | changes), "access_denied", status=403)
        expect_page(alice.post("/consent", without(consent, "approval")), "access_denied", status=403)


@pytest.mark.row("CO-07")
def test_the_approval_of_another_request_is_refused(app: Flask, alice: Browser, consent: dict[str, str]) -> None:
    bigger = form_of(alice.authorize(scope="openid profile email address phone").text)[1]
    with no_effect(app):
        mixed = consent | {"transaction": bigger["transaction"]}
        expect_page(alice.post("/consent", mixed), "access_denied", status=403)


@pytest.mark.row("CO-07")
@pytest.mark.spec("RFC 6819 §4.4.1.10")
@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_an_approval_counts_once(app: Flask, alice: Browser, consent: dict[str, str], decision: str) -> None:
    assert alice.post("/consent", consent | {"decision": decision}).status_code == 303
    with no_effect(app):
        for again in ("allow", "deny", "switch"):
            response = alice.post("/consent", consent | {"decision": again})
            expect_page(response, "invalid_request", status=403)
            assert "This sign-in has ended" in response.text


@pytest.mark.row("CO-07")
def test_another_person_at_the_same_browser_has_to_see_the_page_for_herself(
    app: Flask, alice: Browser, consent: dict[str, str]
) -> None:
    another_tab = alice.authorize(prompt="login", client_id="other")
    alice.submit(another_tab, username="bob", password=PASSWORD)
    with no_effect(app):
        expect_page(alice.post("/consent", consent), "access_denied", status=403)
    page = alice.get(f"/consent?transaction={consent['transaction']}")
    assert "bob@example.test" in page.text
    assert "code" in answer_of(alice.submit(page, follow=False, decision="allow"))


@pytest.mark.row("CO-07", "AR-25")
def test_the_fields_are_worth_nothing_in_another_browser(app: Flask, consent: dict[str, str]) -> None:
    stranger = Browser(app)
    stranger.sign_in("alice")
    own = form_of(stranger.authorize(prompt="consent").text)[1]
    with no_effect(app):
        expect_page(stranger.post("/consent", consent), "access_denied", status=403)
        stolen = consent | {"csrf_token": own["csrf_token"]}
        expect_page(stranger.post("/consent", stolen), "invalid_request", status=403)


@pytest.mark.row("AR-19")
def test_what_the_form_says_beyond_the_decision_changes_nothing(
    app: Flask, alice: Browser, consent: dict[str, str]
) -> None:
    extra: dict[str, Any] = {
        "scope": "openid profile email address phone roles offline_access",
        "redirect_uri": "https://evil.example/cb",
        "client_id": "other",
        "state": "evil",
        "nonce": "evil",
        "response_mode": "form_post",
        "code_challenge": "",
        "resource": "https://api.photos.example/",
    }
    response = alice.post("/consent", consent | extra)
    assert response.location.startswith("https://photos.example/callback?code=")
    assert answer_of(response)["state"] == "a-state"
    tokens = flows.redeem(app, answer_of(response)["code"]).json
    assert tokens["scope"] == "openid profile email"
    assert flows.claims_of(tokens["id_token"])["nonce"] == "a-nonce"


@pytest.mark.row("AR-19", "HT-01")
def test_a_field_sent_twice_decides_nothing(app: Flask, alice: Browser, consent: dict[str, str]) -> None:
    with no_effect(app):
        both = {**consent, "decision": ["deny", "allow"]}
        expect_page(alice.post("/consent", both), "invalid_request")


@pytest.mark.parametrize("decision", ["", "no", "ALLOW", "allow "])
def test_anything_but_allow_is_no(alice: Browser, consent: dict[str, str], decision: str) -> None:
    assert answer_of(alice.post("/consent", consent | {"decision": decision}))["error"] == "access_denied"


@pytest.mark.row("SE-01", "WB-09")
@pytest.mark.spec("RFC 9700 §4.7")
def test_another_site_cannot_sign_a_browser_in_or_cancel(app: Flask, browser: Browser) -> None:
    fields = form_of(browser.authorize().text)[1] | {"username": "bob", "password": PASSWORD}
    with no_effect(app):
        for forged in (
            without(fields, "csrf_token"),
            fields | {"csrf_token": "x"},
            fields | {"csrf_token": "", "action": "cancel"},
        ):
            expect_page(browser.post("/login", forged), "access_denied", status=403)
        expect_page(browser.post("/login", fields, headers={"Origin": "https://evil.example"}), status=403)
    assert not browser.client.get_cookie("__Host-oidc_session", domain="id.example.test")


@pytest.mark.row("WB-09")
def test_another_site_cannot_sign_a_person_out(app: Flask, agreed: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with no_effect(app):
        confirm = agreed.get("/logout")
        assert 'id="logout-confirm"' in confirm.text
        forged = {"csrf_token": "x", "decision": "confirm"}
        expect_page(agreed.post("/logout", forged), "access_denied", status=403)
        assert 'id="logout-confirm"' in agreed.post("/logout", {"decision": "confirm"}).text, "asks instead"
    assert audited(caplog, "csrf.refused")
    assert "code" in answer_of(agreed.authorize(follow=False))
