"""SMTP: one connection to the mail server that OIDC_SMTP_URL names, and what its answers mean.

RFC 5321, with STARTTLS (RFC 3207) or TLS (RFC 8314), AUTH (RFC 4954) and SMTPUTF8 (RFC 6531).

    smtp://            plain, port 25: for a relay on the same machine or network
    smtp+starttls://   TLS is a condition: a server that offers none gets neither password nor mail (port 587)
    smtps://           TLS from the first byte (port 465)

Certificates are verified against the authorities of the system (SSL_CERT_FILE names others).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

# RFC 3463: 5.1.1 and the like.
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= |$)", re.ASCII)

#: Seconds that the mail server has for one answer, and for everything until it has taken a mail.
TIMEOUT = 20.0
LONGEST_DELIVERY = 120.0

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Refused(Exception):
    """The mail server does not take this mail, and never will; the message says why and repeats nothing that was sent."""


class Postponed(Exception):
    """The mail server did not take this mail now, or it is not known whether it did."""


class Unreachable(Exception):
    """The mail server takes no mail at all now: it is away, refuses us, or its certificate is not its own."""


@dataclass(frozen=True)
class Endpoint:
    """Where mail goes, from OIDC_SMTP_URL, which settings_checks has looked at."""

    scheme: str
    host: str
    port: int
    username: str
    password: str

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def endpoint_of(url: str) -> Endpoint:
    """Take the setting apart; user and password are percent-encoded in it."""
    parts = urlsplit(url)
    return Endpoint(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class Connection:
    """An open connection. After any refusal it is closed, since servers differ in what they take then."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def deliver(self, message: EmailMessage) -> None:
        """Hand over one message. Raises Refused or Postponed."""
        # A server that says a byte now and then would otherwise outlast the lease, and the mail would be sent twice.
        over = threading.Timer(LONGEST_DELIVERY, self._cut)
        over.daemon = True
        over.start()
        try:
            # The envelope is said outright, so that no second reading of the headers decides who gets it.
            (sender,), (recipient,) = message["From"].addresses, message["To"].addresses
            self._smtp.send_message(message, sender.addr_spec, [recipient.addr_spec])
        except smtplib.SMTPRecipientsRefused as error:
            (code, text), *_ = error.recipients.values()
            raise _judged("recipient", code, text) from error
        except smtplib.SMTPSenderRefused as error:
            # The sender is a setting: wrong for every mail, until somebody corrects it.
            raise Postponed(_said("The mail server refused the sender", error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPDataError as error:
            raise _judged("message", error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused("The mail server takes no internationalised addresses (SMTPUTF8).") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Postponed(_reason(error)) from error
        finally:
            over.cancel()

    def _cut(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._smtp.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # None once it is closed


@contextlib.contextmanager
def connect(endpoint: Endpoint, own_name: str) -> Iterator[Connection]:
    """Connect, greet with `own_name`, secure the connection and sign in. Raises Unreachable with a reason, never with a password."""
    try:
        smtp = _open(endpoint, own_name)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Unreachable(_reason(error)) from error
    try:
        yield Connection(smtp)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    finally:
        smtp.close()


def _open(endpoint: Endpoint, own_name: str) -> smtplib.SMTP:
    at: tuple[str, int, str] = (endpoint.host, endpoint.port, own_name)
    if endpoint.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(*at, timeout=TIMEOUT, context=ssl.create_default_context())
    else:
        smtp = smtplib.SMTP(*at, timeout=TIMEOUT)
    try:
        if endpoint.scheme == "smtp+starttls":
            smtp.starttls(
                context=ssl.create_default_context()
            )  # raises when it is not offered: somebody may have struck it out
        smtp.ehlo_or_helo_if_needed()
        if endpoint.username:
            smtp.login(endpoint.username, endpoint.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _judged(what: str, code: int, text: bytes | str) -> Refused | Postponed:
    kind = Refused if 500 <= code < 600 else Postponed  # RFC 5321 §4.2.1
    return kind(_said(f"The mail server refused the {what}", code, text))


def _said(sentence: str, code: int, text: bytes | str) -> str:
    """The sentence with the codes of the answer; its words may repeat the address, or worse."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = _ENHANCED_CODE.match(words)
    return f"{sentence} ({code}{' ' + enhanced[0] if enhanced else ''})."


def _reason(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _said("The mail server refused the user name or password", error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server offers no STARTTLS, or no way to sign in that we know."
    if isinstance(error, smtplib.SMTPResponseException):
        return _said("The mail server refused the connection", error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of the mail server is not to be trusted: {error.verify_message}"
    if isinstance(error, UnicodeError):
        return "Host, user name and password of the mail server must be ASCII."
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "The mail server did not answer in time."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "The mail server ended the connection."
    return f"The mail server cannot be reached ({type(error).__name__})."
