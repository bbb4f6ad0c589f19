"""The message as it leaves: RFC 5322 headers, text and HTML in UTF-8, nothing fetched from anywhere and nothing that tracks."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlsplit

from ..settings import Settings
from . import addresses
from .contents import Contents


def compose(
    contents: Contents, recipient: str, *, mail_id: str, created_at: float, language: str, settings: Settings
) -> EmailMessage:
    """The whole message. Raises addresses.AddressRefused for a recipient that cannot be.

    The Message-ID follows from the mail, so that one which had to be sent twice is recognised as the same.
    """
    to = addresses.parse(recipient)
    # Header texts are encoded words (RFC 2047) and the bodies quoted-printable, so that 7 bits suffice on every way.
    message = EmailMessage(policy=SMTP.clone(utf8=addresses.needs_smtputf8(to)))
    message["From"] = sender(settings)
    message["To"] = to
    message["Subject"] = contents.subject
    message["Date"] = datetime.fromtimestamp(created_at, UTC)
    message["Message-ID"] = f"<{mail_id}@{_host(settings)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's holiday notice answers it
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    message.set_content(contents.text, cte="quoted-printable")
    message.add_alternative(contents.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = language  # after the parts: they take with them what begins with Content-
    return message


def sender(settings: Settings) -> Address:
    """Whom mails come from."""
    return addresses.parse_mailbox(settings.mail_from or f"no-reply@{_host(settings)}")


def _host(settings: Settings) -> str:
    host = urlsplit(settings.issuer).hostname or "localhost"
    return host if not host.replace(".", "").isdigit() and ":" not in host else "localhost"
