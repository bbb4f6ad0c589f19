"""A code_challenge that comes again and again protects nothing: the log names the client (RFC 9700 §2.1.1)."""

from __future__ import annotations

import base64
import hashlib
import secrets

import pytest
from flask import Flask

from oidc_server import audit
from tests import flows
from tests.expectations import audited
from tests.flows import Browser, Clock

pytestmark = pytest.mark.row("PK-09")


def code_with(browser: Browser, verifier: str, client_id: str = "web") -> str:
    return browser.obtain_code(code_challenge=challenge_of(verifier), client_id=client_id)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def test_the_same_challenge_twice_is_one_line_that_names_the_client_and_the_flow_goes_on(
    app: Flask, alice: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    first = alice.obtain_code()
    assert audited(caplog, audit.CHALLENGE_REPEATED) == []
    second = alice.obtain_code()
    lines = audited(caplog, audit.CHALLENGE_REPEATED)
    assert [line["client_id"] for line in lines] == ["web"]
    assert flows.CHALLENGE not in str(lines)
    assert [flows.redeem(app, code).status_code for code in (first, second)] == [200, 200]


def test_every_further_repetition_is_a_line(alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(4):
        alice.obtain_code()
    assert len(audited(caplog, audit.CHALLENGE_REPEATED)) == 3


def test_fresh_challenges_are_nothing_to_tell(app: Flask, alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        verifier = secrets.token_urlsafe(32)
        assert flows.redeem(app, code_with(alice, verifier), code_verifier=verifier).status_code == 200
    assert audited(caplog, audit.CHALLENGE_REPEATED) == []


def test_a_challenge_is_remembered_for_each_client_by_itself(alice: Browser, caplog: pytest.LogCaptureFixture) -> None:
    alice.obtain_code()
    alice.obtain_code(client_id="other")
    assert audited(caplog, audit.CHALLENGE_REPEATED) == []


def test_a_challenge_is_remembered_for_an_hour(alice: Browser, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    alice.obtain_code()
    clock.advance(3599)
    alice.obtain_code()
    assert len(audited(caplog, audit.CHALLENGE_REPEATED)) == 1
    clock.advance(3601)
    alice.obtain_code()
    assert len(audited(caplog, audit.CHALLENGE_REPEATED)) == 1
