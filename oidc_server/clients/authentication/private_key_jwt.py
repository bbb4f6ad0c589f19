"""private_key_jwt: an assertion signed with a key whose public half is registered as jwks. OpenID Connect Core §9."""

from __future__ import annotations

from joserfc.jwk import Key

from .. import keys
from ..models import Client
from .assertion import assertion_method


def _keys_of(client: Client) -> list[Key]:
    return keys.imported(client.jwks)


METHOD = assertion_method(
    "private_key_jwt", ("RS256", "PS256", "ES256", "Ed25519", "EdDSA"), _keys_of, has_secret=False
)
