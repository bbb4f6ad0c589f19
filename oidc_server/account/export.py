"""Everything we hold about a person, by the names of the tables and claims, without hashes and secrets. GDPR article 20."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import activity, consents, factors, mail, sessions
from ..accounts import Account, client_roles, throttle
from ..accounts.claims import known_claims
from ..database import now
from ..server import current_server
from ..tokens.connections import families_of

_MOST = 100_000


def export_of(account: Account) -> dict[str, Any]:
    """The whole as JSON values; times are UTC in ISO 8601."""
    return {
        "issuer": current_server.settings.issuer,
        "exported_at": _time(now()),
        "account": {
            "sub": account.id,
            "username": account.username,
            "has_password": account.password_hash is not None,
            "created_at": _time(account.created_at),
            "updated_at": _time(account.updated_at),
            "last_login_at": _time(account.last_login_at),
            "password_changed_at": _time(account.password_changed_at),
            "signed_out_before": _time(account.signed_out_before),
        },
        "claims": {name: value for name, value in known_claims(account).items() if name != "updated_at"},
        "roles_at_clients": client_roles.of_accounts([account.id]).get(account.id, {}),
        "second_factors": [
            {
                "kind": factor.kind,
                "name": factor.name,
                "created_at": _time(factor.created_at),
                "last_used_at": _time(factor.last_used_at),
            }
            for factor in factors.of(account.id)
        ],
        "recovery_codes_left": factors.recovery_codes.remaining(account.id),
        "sessions": [
            {
                "sid": session.sid,
                "auth_time": _time(session.auth_time),
                "acr": session.acr,
                "amr": session.amr,
                "last_seen_at": _time(session.last_seen_at),
                "expires_at": _time(session.expires_at),
                "network": session.network,
                "user_agent": session.user_agent,
            }
            for session in sessions.store.list_for(account.id)
        ],
        "known_devices": [
            {"network": device.network, "last_at": _time(device.last_at)} for device in throttle.devices_of(account.id)
        ],
        "consents": [
            {
                "client_id": consent.client_id,
                "scope": consent.scope,
                "resources": consent.resources,
                "granted_at": _time(consent.granted_at),
            }
            for consent in consents.list_for(account.id)
        ],
        "grants": [
            {
                "client_id": family.client_id,
                "scope": family.authorization["scope"],
                "resources": family.authorization["resources"],
                "sid": family.authorization.get("sid") or None,
                "created_at": _time(family.created_at),
                "last_used_at": _time(family.rotated_at or family.created_at),
                "expires_at": _time(family.expires_at),
                "revoked_at": _time(family.revoked_at),
            }
            for family in families_of(account.id)
        ],
        "mails": [
            {"kind": one.kind, "to": one.recipient, "created_at": _time(one.created_at)}
            for one in mail.store.list_for(account.id)
        ],
        "activity": [
            {
                "event": row.event,
                "at": _time(row.at),
                "last_at": _time(row.last_at),
                "times": row.times,
                "network": row.network,
                "user_agent": row.user_agent,
                "client_id": row.client_id,
            }
            for row in activity.list_for(account.id, _MOST)
        ],
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
