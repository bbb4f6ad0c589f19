"""Passwords that were stolen elsewhere, asked for at a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask

from oidc_server import accounts, settings
from oidc_server.accounts import breached, password_policy, store

STOLEN = "stolen horse battery staple"
UNKNOWN = "another horse battery staple"

Answer = Callable[[BaseHTTPRequestHandler], None]


def digits(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def with_body(body: str, status: int = 200) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode())

    return answer


class Range:
    """The range API, small: what it was asked, and how it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        # A hash of padding, then ours; lines end as the real one's do.
        self.answer: Answer = with_body(f"{'0' * 34}1:0\r\n{digits(STOLEN)[5:]}:42\r\n")
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                answers.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/range/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def range_api() -> Iterator[Range]:
    made = Range()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def asking(make_app: Callable[..., Flask], range_api: Range) -> Iterator[Range]:
    with make_app(breached_passwords_url=range_api.url).app_context():
        yield range_api


def unanswered(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [json.loads(logged.getMessage()) for logged in caplog.records if logged.name == "oidc_server.audit"]
    return [line["reason"] for line in lines if line["event"] == "breached_passwords.unanswered"]


@pytest.mark.row("BF-03", "PW-05")
def test_a_stolen_password_is_refused_with_a_reason_wherever_one_is_set(asking: Range) -> None:
    alice = store.find_by_login("alice")
    assert alice is not None
    before = alice.password_hash
    for set_it in (
        lambda: accounts.require_good_password(STOLEN),
        lambda: store.create("zoe", STOLEN),
        lambda: store.set_password(alice.id, STOLEN),
    ):
        with pytest.raises(accounts.PasswordRefused) as refused:
            set_it()
        assert refused.value.reasons == [password_policy.BREACHED]

    assert store.find_by_login("zoe") is None
    assert alice.password_hash == before


@pytest.mark.row("BF-03")
def test_five_digits_of_the_hash_leave_and_a_padded_answer_is_asked_for(asking: Range) -> None:
    accounts.require_good_password(UNKNOWN)
    [(path, headers)] = asking.asked

    assert path == f"/range/{digits(UNKNOWN)[:5]}"
    assert headers["add-padding"] == "true"
    assert headers["user-agent"] == "oidc-server"
    assert digits(UNKNOWN)[5:] not in str(headers)


def test_a_line_of_padding_accuses_nobody(asking: Range) -> None:
    asking.answer = with_body(f"{digits(UNKNOWN)[5:]}:0\r\n")
    accounts.require_good_password(UNKNOWN)

    assert len(asking.asked) == 1


def test_a_password_that_is_refused_anyway_is_not_asked_for(asking: Range) -> None:
    with pytest.raises(accounts.PasswordRefused):
        accounts.require_good_password("short")

    assert asking.asked == []


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(50):
            request.wfile.write(b"0")
            request.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass


def redirect(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", f"/elsewhere/{digits(STOLEN)[:5]}")
    request.end_headers()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda request: time.sleep(3), "no answer in time"),
        (drip, "no answer in time"),
        (redirect, "status 302"),
        (with_body("", 503), "status 503"),
        (with_body("0" * 300_000), "answer too large"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), "BadStatusLine"),
    ],
    ids=["silence", "drip", "redirect", "error", "flood", "nonsense"],
)
def test_without_an_answer_a_password_passes_soon_and_the_audit_log_says_so(
    asking: Range, answer: Answer, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    asking.answer = answer
    started = time.monotonic()
    with caplog.at_level(logging.INFO, "oidc_server.audit"):
        accounts.require_good_password(STOLEN)

    assert time.monotonic() - started < 2
    assert unanswered(caplog) == [reason]
    assert len(asking.asked) == 1  # a redirect is not followed, and nothing is tried again
    assert STOLEN not in caplog.text
    assert digits(STOLEN)[:5] not in caplog.text


def test_a_server_that_drips_is_left_behind(asking: Range) -> None:
    asking.answer = drip
    accounts.require_good_password(STOLEN)
    deadline = time.monotonic() + 3
    while any(thread.name == "breached-passwords" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread still reads"
        time.sleep(0.02)


def test_nobody_there_is_no_reason_to_refuse(
    make_app: Callable[..., Flask], range_api: Range, caplog: pytest.LogCaptureFixture
) -> None:
    range_api.server.shutdown()
    range_api.server.server_close()
    with make_app(breached_passwords_url=range_api.url).app_context():
        accounts.require_good_password(STOLEN)

    assert unanswered(caplog) == ["ConnectionRefusedError"]


def test_it_is_off_by_default(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breached, "is_known", lambda *_: pytest.fail("asked"))
    with app.app_context():
        accounts.require_good_password(STOLEN)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("production", "http://127.0.0.1:1/range/"),
        ("development", "http://127.0.0.1:1/range/"),
        ("testing", "http://api.example.test/range/"),
        ("testing", "https://user:secret@api.example.test/range/"),
        ("testing", "https://api.example.test/range/?key=1"),
        ("testing", "https://api.example.test:port/range/"),
        ("testing", "file:///etc/passwd"),
        ("testing", "api.example.test"),
    ],
)
def test_only_https_is_asked(environment: str, url: str) -> None:
    with pytest.raises(settings.SettingsError, match="OIDC_BREACHED_PASSWORDS_URL"):
        settings.load(
            {},
            environment=environment,
            issuer="https://id.example.test",
            secret_key="0123456789abcdef" * 3,
            breached_passwords_url=url,
        )
