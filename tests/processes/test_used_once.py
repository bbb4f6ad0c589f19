"""F-04 in part: a client assertion and an approval count once, however many use them at one instant."""

from __future__ import annotations

import time
from collections import Counter
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import ECKey

from oidc_server.database import db, transact
from oidc_server.storage.sql import ShortLivedValue
from tests import flows

from . import swarm
from .requests_as_text import API, CALLBACK, request_of
from .site import Site, code_of, cookies_of

USES = 50
APPROVALS = 20
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.mark.row("CA-08", "FT-01")
@pytest.mark.spec("RFC 7523 §3")
def test_of_fifty_uses_of_one_client_assertion_one_succeeds(site: Site) -> None:
    key = ECKey.generate_key("P-256", parameters={"kid": "one", "use": "sig", "alg": "ES256"})
    with site.app.app_context():
        site.register(
            "asserting",
            grant_types=["client_credentials"],
            response_types=[],
            token_endpoint_auth_method="private_key_jwt",
            jwks={"keys": [key.as_dict(private=False)]},
        )
    at = int(time.time())
    claims = {"iss": "asserting", "sub": "asserting", "aud": site.url, "iat": at, "exp": at + 60, "jti": "once"}
    asking = site.post(
        "/token",
        grant_type="client_credentials",
        scope="photos:read",
        resource=API,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=jwt.encode({"alg": "ES256", "kid": "one"}, claims, key),
    )
    (answers,) = site.send([[asking] * USES])

    assert swarm.at_once(answers) == USES
    assert {answer.worker for answer in answers} == set(site.worker_pids())
    outcomes = Counter((answer.status, answer.json.get("error")) for answer in answers)
    print(f"client assertion on {site.kind}: {USES} uses over {site.workers} workers: {dict(outcomes)}")
    assert outcomes == {(200, None): 1, (401, "invalid_client"): USES - 1}


@pytest.mark.row("CO-07", "FT-01")
def test_of_twenty_clicks_on_allow_one_gives_a_code(site: Site) -> None:
    browser = site.sign_in()
    asked = request_of(client_id="stranger", prompt="consent")
    page = browser.get(f"{site.url}/authorize?{urlencode(asked)}")
    assert 'id="consent-allow"' in page.text
    _, fields = flows.form_of(page.text)
    before = stored_codes(site)
    headers = {"Cookie": cookies_of(browser), "Origin": site.url}
    click = site.post("/consent", headers=headers, **fields, decision="allow")
    (answers,) = site.send([[click] * APPROVALS])

    assert swarm.at_once(answers) == APPROVALS
    assert Counter(answer.status for answer in answers) == {303: 1, 403: APPROVALS - 1}
    (given,) = (answer for answer in answers if answer.status == 303)
    assert given.headers["location"].startswith(f"{CALLBACK}?")
    assert code_of(given)
    assert stored_codes(site) == before + 1
    assert all("location" not in answer.headers for answer in answers if answer.status == 403)
    print(f"approval on {site.kind}: {APPROVALS} clicks over {site.workers} workers: 1 code")


def stored_codes(site: Site) -> int:
    query = sa.select(sa.func.count()).where(ShortLivedValue.kind == "authorization_code")
    with site.app.app_context():
        return transact(lambda: db.session.scalar(query) or 0)
