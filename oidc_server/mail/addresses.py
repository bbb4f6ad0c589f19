"""Addresses as mail headers and SMTP take them; internationalised ones included (RFC 6531, RFC 5890). Nothing in them can end a header.

Stricter about form than the accounts are about meaning: quoted local parts, comments, routes and address literals are refused (RC-13).
"""

from __future__ import annotations

import re
import unicodedata
from email.headerregistry import Address
from email.utils import parseaddr

_MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets; octets
_MAX_LOCAL_PART = 64
_MAX_DISPLAY_NAME = 100

# RFC 5321 §4.1.2 Dot-string; beyond ASCII letters, marks and digits (RFC 6531 §3.3, and no symbols: they only imitate).
_ATOM = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\W_])+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


class AddressRefused(ValueError):
    """No mail can be sent to, or from, this address."""


def parse(text: str, display_name: str = "") -> Address:
    """The address, its domain in ASCII (an A-label where it is internationalised). Raises AddressRefused."""
    local_part, _, domain = text.rpartition("@")
    if unicodedata.normalize("NFC", local_part) != local_part or not _LOCAL_PART.fullmatch(local_part):
        raise AddressRefused("The part before the @ is not one that mail servers take.")
    domain = _ascii_domain(domain)
    if len(local_part.encode()) > _MAX_LOCAL_PART or len(f"{local_part}@{domain}".encode()) > _MAX_LENGTH:
        raise AddressRefused("The address is too long.")
    return Address(display_name=display_name, username=local_part, domain=domain)


def parse_mailbox(text: str) -> Address:
    """An address, or a name and an address: `Example <no-reply@example.org>`. Raises AddressRefused."""
    name, address = parseaddr(text)
    if not address or any(not character.isprintable() for character in text) or len(name) > _MAX_DISPLAY_NAME:
        raise AddressRefused("That is not an address, nor a name with an address in angle brackets.")
    return parse(address, name)


def needs_smtputf8(address: Address) -> bool:
    """Whether only a mail server that offers SMTPUTF8 can take it (RFC 6531 §3.2)."""
    return not address.addr_spec.isascii()


def _ascii_domain(domain: str) -> str:
    folded = domain.lower()
    if not folded.isascii():
        try:
            labels = folded.encode("idna").decode("ascii")
            # Python knows IDNA 2003, which turns ß into ss: another domain, so another owner (RFC 5894 §4.2).
            returned = labels.encode("ascii").decode("idna")
        except UnicodeError as error:
            raise AddressRefused("The part after the @ is not a domain.") from error
        if returned != folded:
            raise AddressRefused("Write the domain in its ASCII form, which begins with xn--.")
        folded = labels
    if not _DOMAIN.fullmatch(folded) or folded.rpartition(".")[2].isdigit():
        raise AddressRefused("The part after the @ is not a domain.")
    return folded
