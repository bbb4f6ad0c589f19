"""One structured line per security-relevant fact: who, which client, from which network, when (UTC), in which request.

A line is JSON in ASCII, so that nothing somebody sent can end it, start another or colour a terminal. No secret belongs
in it: people and clients appear as identifiers, and a field whose name says that it holds a secret is withheld.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
from flask import Flask, has_app_context, has_request_context

from . import here
from .database import now
from .log_lines import AUDIT, AuditRecord, OneLine, PrivateFile, StandardError, is_of_command, utc
from .networks import client_network

# People.
SIGN_IN = "sign_in.ok"
SIGN_IN_FAILED = "sign_in.failed"
SIGN_IN_THROTTLED = "sign_in.throttled"
SIGN_IN_BUSY = "sign_in.busy"
SIGN_IN_GUARDED = "sign_in.guarded"
SIGN_OUT = "sign_out"
SIGN_OUT_DENIED = "sign_out.denied"
SESSION_ENDED = "session.ended"
CONSENT_GIVEN = "consent.given"
CONSENT_DENIED = "consent.denied"
CONSENT_REVOKED = "consent.revoked"
ACCOUNT_CREATED = "account.created"
ACCOUNT_UPDATED = "account.updated"
ACCOUNT_DISABLED = "account.disabled"
ACCOUNT_ENABLED = "account.enabled"
PASSWORD_SET = "account.password_set"
FACTOR_ADDED = "factor.added"
FACTOR_REMOVED = "factor.removed"
FACTOR_FAILED = "factor.failed"
FACTOR_THROTTLED = "factor.throttled"
FACTORS_RESET = "factor.all_removed"
RECOVERY_CODES_MADE = "recovery_codes.made"
RECOVERY_CODE_USED = "recovery_codes.used"
PASSKEY_RENAMED = "passkey.renamed"
PASSKEY_COPY_SUSPECTED = "passkey.copy_suspected"
PASSKEY_REFUSED = "passkey.refused"
MAIL_DELIVERED = "mail.delivered"
MAIL_FAILED = "mail.failed"
MAIL_WITHHELD = "mail.withheld"
ACCOUNT_DELETED = "account.deleted"
ACCOUNT_EXPORTED = "account.exported"
ACCOUNT_SECURED = "account.secured"
EMAIL_VERIFIED = "account.email_verified"
EMAIL_CHANGED = "account.email_changed"
EMAIL_CHANGE_UNDONE = "account.email_change_undone"
SIGN_UP_DISOWNED = "sign_up.disowned"
INVITED = "account.invited"
RECOVERY_ASKED = "recovery.asked"
RECOVERY_WITHHELD = "recovery.withheld"
RECOVERY_DONE = "recovery.done"
ROLES_GRANTED, ROLES_REVOKED = "roles.granted", "roles.revoked"
ACCOUNTS_IMPORTED, ACCOUNTS_EXPORTED = "accounts.imported", "accounts.exported"
BREACHED_PASSWORDS_UNANSWERED = "breached_passwords.unanswered"
# Requests and tokens.
AUTHORIZATION_REFUSED = "authorization.refused"
CODE_ISSUED = "code.issued"
CODE_REDEEMED = "code.redeemed"
CODE_REPLAYED = "code.replayed"
CHALLENGE_REPEATED = "pkce.challenge_repeated"
CODE_REFUSED = "code.refused"
TOKEN_ISSUED = "token.issued"
TOKEN_REFUSED = "token.refused"
TOKEN_REVOKED = "token.revoked"
TOKEN_INTROSPECTED = "token.introspected"
REFRESH_ROTATED = "refresh.rotated"
REFRESH_RETRIED = "refresh.retried"
REFRESH_REUSED = "refresh.reused"
REFRESH_UNKNOWN = "refresh.unknown_family"
REFRESH_NEWER = "refresh.newer_than_database"
REFRESH_REFUSED = "refresh.refused"
FAMILY_REVOKED = "family.revoked"
# Clients, resources and keys.
CLIENT_AUTHENTICATION_FAILED = "client.authentication_failed"
CLIENT_ASSERTION_REPLAYED = "client.assertion_replayed"
CLIENT_CREATED = "client.created"
CLIENT_UPDATED = "client.updated"
CLIENT_SECRET_ROTATED = "client.secret_rotated"
CLIENT_SECRET_DELETED = "client.secret_deleted"
CLIENT_DISABLED = "client.disabled"
CLIENT_ENABLED = "client.enabled"
CLIENT_DELETED = "client.deleted"
RESOURCE_CREATED = "resource.created"
RESOURCE_DELETED = "resource.deleted"
KEY_CREATED = "key.created"
KEY_ROTATED = "key.rotated"
KEY_RETIRED = "key.retired"
KEY_REVOKED = "key.revoked"
# The server itself.
RATE_LIMITED = "rate_limited"
ERROR_PAGE = "error_page.shown"
CSRF_REFUSED = "csrf.refused"

MAX_VALUE_LENGTH = 200
_MAX_LIST_LENGTH = 20
_SHOWN_OF_UNKNOWN = 8
_SECRET_NAMES = frozenset(
    ("password", "secret", "client_secret", "token", "access_token", "refresh_token", "id_token", "code", "cookie")
)

_LISTENERS = "audit_listeners"
_audit_log = logging.getLogger(AUDIT)
_package_log = logging.getLogger(__name__.partition(".")[0])


def record(event: str, **fields: object) -> None:
    """Write one fact; texts are cut at 200 characters, lists at 20; `network` is the request's unless it is given."""
    sent = here.request() if has_request_context() else None
    at = now()
    line: dict[str, object] = {
        "time": utc(at),
        "event": event,
        "request_id": here.g().get("request_id", "-") if sent is not None else "-",
        "network": fields.pop("network", None) or (client_network(sent) if sent is not None else "-"),
    }
    for name, value in fields.items():
        line[name] = "[withheld]" if name in _SECRET_NAMES else _plain(value)
    if _audit_log.isEnabledFor(logging.INFO):
        _audit_log.handle(AuditRecord(_as_json(line), at))
    for listener in here.app().extensions.get(_LISTENERS, ()) if has_app_context() else ():
        listener(event, line)


def on_record(app: Flask, listener: Callable[[str, Mapping[str, object]], None]) -> None:
    """Have `listener(event, line)` called after each line that this app writes, within its context and any transaction of its."""
    app.extensions.setdefault(_LISTENERS, []).append(listener)


def _as_json(line: dict[str, object]) -> str:
    try:
        text = orjson.dumps(line)
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits
        text = b"\xff"
    return text.decode() if text.isascii() else json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def configure(app: Flask, level: str = "INFO") -> None:
    """Send the log of the package from `level` up to standard error; called by create_app(), before all else.

    What commands record goes to instance/audit.log instead (mode 0600): the terminal belongs to the person at it.
    """
    _package_log.setLevel(level.upper())
    _audit_log.setLevel(logging.INFO)  # an audit line is no matter of taste
    # At DEBUG it writes down whole token responses, whatever level the root logger was given for other reasons.
    logging.getLogger("authlib").setLevel(logging.INFO)
    # Tests listen at the root; a server's own root handler would only repeat each line.
    _package_log.propagate = app.testing
    for handler in list(_package_log.handlers):
        _package_log.removeHandler(handler)
    to_terminal = StandardError()
    to_terminal.setFormatter(OneLine())
    to_terminal.addFilter(lambda logged: not is_of_command(logged))
    _package_log.addHandler(to_terminal)
    if not app.testing:
        to_file = PrivateFile(Path(app.instance_path) / "audit.log")
        to_file.setFormatter(OneLine())
        to_file.addFilter(is_of_command)
        _package_log.addHandler(to_file)


def clipped(text: str | None) -> str | None:
    """The beginning of an identifier that nobody has here: enough to recognise it, too little should it be a secret instead."""
    return text if text is None or len(text) <= _SHOWN_OF_UNKNOWN else f"{text[:_SHOWN_OF_UNKNOWN]}..."


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
        return [_plain(item) for item in items[:_MAX_LIST_LENGTH]]
    return str(value)[:MAX_VALUE_LENGTH]
