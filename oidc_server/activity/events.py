"""The audit events that are a person's own, each with the sentence it is told in."""

from __future__ import annotations

from dataclasses import dataclass

from .. import audit
from ..languages import sentences


@dataclass(frozen=True)
class Kind:
    """How an event is told: a sentence for `_`, an icon, and whether a person should look twice at it."""

    sentence: str
    icon: str
    is_warning: bool = False


def _kind(sentence: tuple[str, ...], icon: str, is_warning: bool = False) -> Kind:
    return Kind(sentence[0], icon, is_warning)


EVENTS: dict[str, Kind] = {
    audit.SIGN_IN: _kind(sentences("Signed in"), "sign-in"),
    audit.SIGN_IN_FAILED: _kind(sentences("Sign-in with a wrong password"), "warning", True),
    audit.SIGN_IN_GUARDED: _kind(sentences("Many wrong passwords: strangers have to wait"), "warning", True),
    audit.SIGN_OUT: _kind(sentences("Signed out"), "sign-out"),
    audit.SESSION_ENDED: _kind(sentences("Signed out from elsewhere"), "sign-out"),
    audit.CONSENT_GIVEN: _kind(sentences("Allowed an app"), "apps"),
    audit.CONSENT_DENIED: _kind(sentences("Did not allow an app"), "apps"),
    audit.CONSENT_REVOKED: _kind(sentences("Removed an app"), "apps"),
    audit.REFRESH_REUSED: _kind(sentences("An app's access was used twice and ended"), "warning", True),
    audit.ACCOUNT_CREATED: _kind(sentences("Account created"), "profile"),
    audit.ACCOUNT_UPDATED: _kind(sentences("Profile changed"), "profile"),
    audit.ACCOUNT_DISABLED: _kind(sentences("Account switched off by the people who run this site"), "warning", True),
    audit.ACCOUNT_ENABLED: _kind(sentences("Account switched on again"), "profile"),
    audit.ACCOUNT_EXPORTED: _kind(sentences("Downloaded a copy of the data"), "data"),
    audit.ACCOUNT_SECURED: _kind(sentences("Signed out everywhere"), "factors"),
    audit.PASSWORD_SET: _kind(sentences("Password changed"), "password"),
    audit.PASSKEY_RENAMED: _kind(sentences("Passkey renamed"), "passkeys"),
    audit.PASSKEY_REFUSED: _kind(sentences("Sign-in with a passkey that did not work"), "warning", True),
    audit.PASSKEY_COPY_SUSPECTED: _kind(sentences("A passkey was refused because there may be a copy of it"), "warning", True),
}

#: What is written down for names that nobody has too, so that it takes as long (EN-02).
ALSO_FOR_NOBODY = frozenset({audit.SIGN_IN_FAILED})
#: What may happen often: the like of one network within an hour is counted in one row.
COUNTED = frozenset({audit.SIGN_IN_FAILED, audit.PASSKEY_REFUSED})
