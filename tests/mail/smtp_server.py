"""A real mail server on this machine, which takes mails, or does what it is told to do instead."""

from __future__ import annotations

import asyncio
import datetime
import email
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..live import free_port

USER, PASSWORD = "mailer@example.test", "p@ss:w/rd"


@dataclass
class Taken:
    """One mail that the server took."""

    sender: str
    recipients: list[str]
    raw: bytes
    options: list[str]
    was_encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=SMTP_POLICY)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """`answers` is recipient -> answer to RCPT, `data_answer` the one to every DATA, `delay` lies between taking a mail and saying so."""

    host: str = "127.0.0.1"
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"
    sender_answer: str = "250 OK"
    delay: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    connections: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    _controller: Controller | None = None

    @property
    def port(self) -> int:
        assert self._controller is not None
        return int(self._controller.port)

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    def start(self, port: int | None = None) -> MailServer:
        self._controller = _Controller(
            self, hostname=self.host, port=port or free_port(), ssl_context=self.tls, **self.options
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, recipient: str) -> list[Taken]:
        return [mail for mail in list(self.taken) if recipient in mail.recipients]

    # What aiosmtpd calls.

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=good, handled=False, auth_data=data.login.decode() if good else None)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_answer.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.sender_answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            assert envelope.mail_from is not None and isinstance(envelope.original_content, bytes)
            self.taken.append(
                Taken(
                    envelope.mail_from,
                    list(envelope.rcpt_tos),
                    envelope.original_content,
                    list(envelope.mail_options),
                    session.ssl is not None or self.tls is not None,
                    session.auth_data,
                )
            )
        self.arrived.set()
        await asyncio.sleep(self.delay)
        return self.data_answer


class _Controller(Controller):
    def __init__(self, owner: MailServer, **options: Any) -> None:
        self._owner = owner
        super().__init__(owner, enable_SMTPUTF8=options.pop("smtputf8", True), **options)

    def factory(self) -> SMTP:
        self._owner.connections += 1
        return super().factory()

    def _trigger_server(self) -> None:
        """The controller wants to see one connection; its own probe knows no TLS."""
        with socket.create_connection((self.hostname, self.port), 5):
            self._factory_invoked.wait(5)
        self._owner.connections = 0


class Authority:
    """A certificate authority of our own, and what it signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
        self.certificate = folder / "authority.pem"
        own = self._certificate(self._name, self._key, is_authority=True)
        self.certificate.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context_for(self, name: str) -> ssl.SSLContext:
        """What a server of this name presents."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        chain, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        chain.write_bytes(self._certificate(subject, key, name).public_bytes(serialization.Encoding.PEM))
        encoding, private_format = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        private.write_bytes(key.private_bytes(encoding, private_format, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, private)
        return context

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, name: str = "", is_authority: bool = False
    ) -> x509.Certificate:
        today = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if name:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())
