"""Consent: when it is needed, what its page says, and what proves that its button was pressed. OIDC Core §3.1.2.4, RFC 8252 §8.6."""

from __future__ import annotations

import hashlib
import hmac

from flask import Response, make_response, render_template

from .. import consents, headers
from ..consents.words import texts
from ..languages import translate
from ..server import current_server
from .walk import Walk


def is_needed(walk: Walk) -> bool:
    """Whether this person has to be asked about this request."""
    if "consent" in walk.prompt:
        return True
    if walk.client.is_trusted:
        return False
    # offline_access outlives the session, so it is asked for every time (OIDC Core §11).
    if "offline_access" in walk.scope:
        return True
    # Any program on the device can wear the identifier of a native app (RFC 8252 §8.6): no silent consent for it.
    if walk.client.is_public and not walk.redirect_uri.startswith("https://"):
        return True
    assert walk.session is not None
    identifiers = [resource.identifier for resource in walk.resources]
    return not consents.covers(walk.session.account_id, walk.client.client_id, walk.shared, identifiers)


def show(walk: Walk) -> Response:
    """The consent page."""
    session, parked = walk.session, walk.parked
    assert session is not None and parked is not None
    client = walk.client
    headers.allow_form_action(walk.redirect_uri, *client.redirect_uris, client.client_uri or "")
    offline = "offline_access" in walk.scope
    return make_response(
        render_template(
            "authorize/consent.html",
            client=client,
            account=session.account,
            scopes=texts(session.account, walk.shared, walk.resources),
            redirect_host=_host_of(walk.redirect_uri),
            access_until=None if offline else translate("Access lasts until you sign out here."),
            transaction=parked.id,
            approval=approval(walk),
        )
    )


def approval(walk: Walk) -> str:
    """What the Allow button carries: an HMAC over the request that was shown, the session it was shown to and its scopes.

    It dies with the parked request, so it can be used once.
    """
    assert walk.session is not None and walk.parked is not None
    shown = [walk.parked.id, walk.session.sid, walk.session.account_id, walk.client.client_id, *walk.shared]
    shown += [resource.identifier for resource in walk.resources]
    return hmac.new(
        current_server.settings.derive_key("consent"), "\n".join(shown).encode(), hashlib.sha256
    ).hexdigest()


def is_approved(walk: Walk, sent: str) -> bool:
    return hmac.compare_digest(approval(walk).encode(), sent.encode("utf-8", "surrogatepass"))


def _host_of(redirect_uri: str) -> str:
    scheme, _, rest = redirect_uri.partition("://")
    return rest.split("/")[0].split("?")[0] if scheme in ("http", "https") else redirect_uri.partition(":")[0]
