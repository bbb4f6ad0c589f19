"""What OIDC_SMTP_URL says is what happens: TLS that was asked for is a condition, and a password goes to nobody else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from oidc_server.mail import transport
from oidc_server.mail.contents import Contents
from oidc_server.mail.message import compose
from oidc_server.settings import SettingsError, load

from .smtp_server import PASSWORD, USER, Authority, MailServer

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd about our test

SECRET = {"OIDC_SECRET_KEY": "0123456789abcdef" * 4}
QUOTED = "mailer%40example.test:p%40ss%3Aw%2Frd@"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the system of this test trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    return made


def deliver(url: str) -> None:
    settings = load(SECRET, environment="testing", issuer="https://id.example.test")
    contents = Contents("Subject", "Text\n", "<p>Text</p>")
    composed = compose(contents, "alice@example.test", mail_id="m1", created_at=1.0, language="en", settings=settings)
    with transport.connect(transport.endpoint_of(url), "id.example.test") as connection:
        connection.deliver(composed)


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer(host="localhost")
    yield made
    made.stop()


def with_login(server: MailServer, scheme: str) -> str:
    return f"{scheme}://{QUOTED}localhost:{server.port}"


@pytest.mark.spec("RFC 8314 §3.3")
def test_smtps_speaks_tls_from_the_first_byte_and_signs_in(server: MailServer, authority: Authority) -> None:
    server.tls = authority.context_for("localhost")
    server.options = {"authenticator": server.authenticate, "auth_required": True, "auth_require_tls": False}
    server.start()
    deliver(with_login(server, "smtps"))
    (taken,) = server.taken
    assert (taken.user, taken.was_encrypted) == (USER, True)


@pytest.mark.spec("RFC 3207 §4")
def test_starttls_comes_before_the_password(server: MailServer, authority: Authority) -> None:
    server.options = {
        "tls_context": authority.context_for("localhost"),
        "authenticator": server.authenticate,
        "auth_required": True,
    }
    server.start()
    deliver(with_login(server, "smtp+starttls"))
    (taken,) = server.taken
    assert (taken.user, taken.was_encrypted) == (USER, True)


def test_a_server_that_offers_no_starttls_gets_neither_password_nor_mail(server: MailServer) -> None:
    passwords: list[object] = []

    def authenticate(*arguments: object) -> object:
        passwords.append(arguments)
        return server.authenticate(*arguments)  # type: ignore[arg-type]

    server.options = {"authenticator": authenticate, "auth_require_tls": False}
    server.start()
    with pytest.raises(transport.Unreachable, match="offers no STARTTLS"):
        deliver(with_login(server, "smtp+starttls"))
    assert (server.taken, passwords) == ([], [])


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("fault", ["another name", "unknown authority"])
def test_a_certificate_that_is_not_the_servers_own_is_refused(
    server: MailServer,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    fault: str,
) -> None:
    if fault == "unknown authority":
        (tmp_path / "other").mkdir()
        presented = Authority(tmp_path / "other").context_for("localhost")
    else:
        presented = authority.context_for("mail.evil.example")
    if scheme == "smtps":
        server.tls = presented
    else:
        server.options = {"tls_context": presented}
    server.start()
    with pytest.raises(transport.Unreachable, match="certificate of the mail server is not to be trusted"):
        deliver(f"{scheme}://localhost:{server.port}")
    assert server.taken == []


def test_a_wrong_password_says_so_and_not_which(server: MailServer) -> None:
    server.options = {"authenticator": server.authenticate, "auth_require_tls": False, "auth_required": True}
    server.start()
    with pytest.raises(transport.Unreachable, match="refused the user name or password") as refused:
        deliver(f"smtp://{USER.replace('@', '%40')}:wrong-password@localhost:{server.port}")
    assert "wrong-password" not in str(refused.value)
    assert server.taken == []
    deliver(with_login(server, "smtp"))
    assert server.taken[0].user == USER


def test_a_password_that_smtp_cannot_carry_is_named(server: MailServer) -> None:
    server.options = {"authenticator": server.authenticate, "auth_require_tls": False}
    server.start()
    with pytest.raises(transport.Unreachable, match="must be ASCII"):
        deliver(f"smtp://user:p%C3%A4ss@localhost:{server.port}")


def test_an_endpoint_shows_no_password() -> None:
    endpoint = transport.endpoint_of(f"smtps://{QUOTED}mail.example.test")
    assert (endpoint.username, endpoint.password, endpoint.port) == (USER, PASSWORD, 465)
    assert repr(endpoint) == "smtps://mail.example.test:465"
    assert transport.endpoint_of("smtp+starttls://mail.example.test").port == 587
    assert transport.endpoint_of("smtp://[::1]").port == 25
    assert transport.endpoint_of("smtp://[::1]").host == "::1"


class Rude:
    """Listens, and says `words` a byte at a time, as slowly as it is told to."""

    def __init__(self, words: bytes = b"", pause: float = 0.0) -> None:
        self._words, self._pause = words, pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._held.append(connection)
            try:
                for byte in self._words:
                    connection.sendall(bytes([byte]))
                    time.sleep(self._pause)
            except OSError:
                continue

    def close(self) -> None:
        for held in [self._socket, *self._held]:
            held.close()


@pytest.mark.row("FT-26")
@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_server_that_says_nothing_is_left_after_a_while(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.3)
    rude = Rude()
    started = time.monotonic()
    with pytest.raises(transport.Unreachable, match="did not answer in time"):
        deliver(f"{scheme}://127.0.0.1:{rude.port}")
    assert 0.2 < time.monotonic() - started < 3
    rude.close()


@pytest.mark.row("FT-26")
def test_a_server_that_says_a_byte_now_and_then_cannot_hold_a_mail_for_ever(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte renews the timeout of the socket; the limit for the whole delivery does not move."""
    monkeypatch.setattr(transport, "LONGEST_DELIVERY", 0.5)
    greeting = b"220 hello\r\n250 hello\r\n"
    rude = Rude(greeting + b"250-" + b"x" * 4000, pause=0.02)
    started = time.monotonic()
    with pytest.raises(transport.Postponed):
        deliver(f"smtp://127.0.0.1:{rude.port}")
    assert time.monotonic() - started < 3
    rude.close()


@pytest.mark.parametrize(
    "words",
    [b"554 no service\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 " + b"x" * 9000 + b"\r\n", b"\xff\xfe\r\n"],
)
def test_a_server_that_is_none_is_named(words: bytes) -> None:
    rude = Rude(words)
    with pytest.raises(transport.Unreachable, match="The mail server"):
        deliver(f"smtp://127.0.0.1:{rude.port}")
    rude.close()


# The setting.


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.test",
        "http://mail.example.test",
        "smtp://",
        "smtp://:25",
        "smtp://mail.example.test:port",
        "smtp://mail.example.test:99999",
        "smtp://mail.example.test:0",
        "smtp://mail.example.test/path",
        "smtp://mail.example.test?tls=no",
        "smtps://mail.example.test#x",
    ],
)
def test_an_address_that_cannot_be_refuses_to_start(url: str) -> None:
    with pytest.raises(SettingsError, match="OIDC_SMTP_URL must be"):
        load(SECRET, environment="testing", smtp_url=url)


@pytest.mark.parametrize("url", ["smtp://10.0.0.1", "smtp+starttls://u:p@mail.example.test:2525", "smtps://[::1]:465/"])
def test_an_address_that_can_be_is_taken(url: str) -> None:
    assert load(SECRET, environment="testing", smtp_url=url).smtp_url == url


@pytest.mark.row("FT-24")
def test_production_sends_no_password_in_the_clear() -> None:
    production = {"environment": "production", "issuer": "https://id.example.test"}
    with pytest.raises(SettingsError, match="password in the clear"):
        load(SECRET, **production, smtp_url="smtp://user:password@mail.example.test")
    assert load(SECRET, **production, smtp_url="smtp://user:password@127.0.0.1").smtp_url
    assert load(SECRET, **production, smtp_url="smtp://relay.internal").smtp_url


@pytest.mark.row("LS-01")
def test_the_password_is_in_no_description_of_the_settings() -> None:
    assert "s3cret" not in repr(load(SECRET, environment="testing", smtp_url="smtps://u:s3cret@mail.example.test"))


def test_a_sender_that_cannot_be_refuses_to_start(make_app: Callable[..., Flask]) -> None:
    with pytest.raises(SettingsError, match="OIDC_MAIL_FROM"):
        make_app(mail_from="nobody")


def test_production_without_a_mail_server_is_told_at_the_start(
    make_app: Callable[..., Flask], mail_server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    production = {"environment": "production", "bcrypt_cost": 10}
    make_app(**production)
    assert "OIDC_SMTP_URL is not set: no mail leaves this server" in capsys.readouterr().err
    make_app(**production, smtp_url=mail_server.url)
    assert "OIDC_SMTP_URL" not in capsys.readouterr().err


def test_no_mail_server_no_thread(app: Flask) -> None:
    app.test_client().get("/healthz")
    assert "mail" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}
