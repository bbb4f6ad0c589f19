"""This server as a relying party: its RP id is the host of the issuer, its one origin the issuer itself. WebAuthn §5.1.2."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
)

from ...server import current_server
from ...settings import Settings

#: COSE algorithms (RFC 9053 §2) by preference: EdDSA, ES256, and RS256 for Windows Hello.
ALGORITHMS = (-8, -7, -257)
#: Milliseconds that the browser is asked to wait for the person.
TIMEOUT = 300_000


def rp_id(settings: Settings | None = None) -> str:
    """The RP id. Every passkey is bound to it for ever: whoever moves the issuer to another host leaves all of them behind."""
    return urlsplit((settings or current_server.settings).issuer).hostname or ""


def is_possible(settings: Settings | None = None) -> bool:
    """Whether browsers offer passkeys here at all: to a host with a name, over https or on this machine (Secure Contexts §3.1)."""
    values = settings or current_server.settings
    host = rp_id(values)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return values.is_https or host == "localhost" or host.endswith(".localhost")
    return False


def relying_party() -> Fido2Server:
    """The library's verifier, held to exactly our origin: subdomains, which RP ids would let pass, are not us."""
    origin = current_server.settings.origin
    made = Fido2Server(
        PublicKeyCredentialRpEntity(id=rp_id(), name=rp_id()),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda said: said == origin,
    )
    made.timeout = TIMEOUT  # type: ignore[assignment]  # declared None
    made.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm)
        for algorithm in ALGORITHMS
    ]
    return made
