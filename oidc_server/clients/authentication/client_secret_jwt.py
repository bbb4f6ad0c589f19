"""client_secret_jwt: an assertion with an HMAC keyed by the client secret. OpenID Connect Core §9."""

from __future__ import annotations

from joserfc.jwk import Key, OctKey

from ...database import now
from ...server import current_server
from .. import secret
from ..models import Client
from .assertion import assertion_method


def _keys_of(client: Client) -> list[Key]:
    at = now()
    sealed = [held.sealed for held in client.secrets if held.is_live(at) and held.sealed is not None]
    opened = [secret.unseal(one, client.client_id, current_server.settings) for one in sealed]
    return [OctKey.import_key(one) for one in opened if one is not None]


METHOD = assertion_method("client_secret_jwt", ("HS256",), _keys_of, has_secret=True)
