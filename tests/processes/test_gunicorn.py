"""The same application under gunicorn, the other server that `wsgi.py` is made for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from .site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("gunicorn") / "server", workers=2, under="gunicorn") as started:
        assert isinstance(started, Site)
        yield started


@pytest.mark.row("AC-02")
def test_gunicorn_serves_the_same_application(site: Site) -> None:
    assert site.ask(site.get("/.well-known/openid-configuration")).json["issuer"] == site.url
    (tokens,) = site.obtain_tokens(1)
    (look,) = site.to_every_worker(site.introspection(tokens["access_token"]))
    assert [answer.json["active"] for answer in look] == [True, True]
    (code,) = site.obtain_codes(1)
    (answers,) = site.send([[site.redemption(code)] * 20])
    assert Counter(answer.status for answer in answers) == {200: 1, 400: 19}
    refreshed = site.ask(site.refreshing(tokens["refresh_token"]))
    assert refreshed.status == 200
    assert site.ask(site.post("/revoke", "web", token=refreshed.json["refresh_token"])).status == 200
    (look,) = site.to_every_worker(site.introspection(refreshed.json["access_token"]))
    assert [answer.json for answer in look] == [{"active": False}] * 2


@pytest.mark.row("HT-06")
@pytest.mark.parametrize("body", ["zz\r\na=b\r\n0\r\n\r\n", "0x3\r\na=b\r\n0\r\n\r\n"])
def test_chunks_that_are_none_are_the_fault_of_the_client(site: Site, body: str) -> None:
    head, _, _ = site.post("/token").partition("\r\n\r\n")
    answer = site.ask(head.replace("Content-Length: 0", "Transfer-Encoding: chunked") + "\r\n\r\n" + body)
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"
