"""The audit events that are a person's own, each with the sentence it is told in."""

from __future__ import annotations

from dataclasses import dataclass

from .. import audit


@dataclass(frozen=True)
class Kind:
    """How an event is told: a sentence for `_`, an icon, and whether a person should look twice at it."""

    sentence: str
    icon: str
    is_warning: bool = False


def _(sentence: str) -> str:
    """The sentence as it is, marked for the catalogues; the page translates it."""
    return sentence


EVENTS: dict[str, Kind] = {
    audit.SIGN_IN: Kind(_("Signed in"), "sign-in"),
    audit.SIGN_IN_FAILED: Kind(_("Sign-in with a wrong password"), "warning", True),
    audit.SIGN_IN_GUARDED: Kind(_("Many wrong passwords: strangers have to wait"), "warning", True),
    audit.SIGN_OUT: Kind(_("Signed out"), "sign-out"),
    audit.SESSION_ENDED: Kind(_("Signed out from elsewhere"), "sign-out"),
    audit.CONSENT_GIVEN: Kind(_("Allowed an app"), "apps"),
    audit.CONSENT_DENIED: Kind(_("Did not allow an app"), "apps"),
    audit.CONSENT_REVOKED: Kind(_("Removed an app"), "apps"),
    audit.REFRESH_REUSED: Kind(_("An app's access was used twice and ended"), "warning", True),
    audit.ACCOUNT_CREATED: Kind(_("Account created"), "profile"),
    audit.ACCOUNT_UPDATED: Kind(_("Profile changed"), "profile"),
    audit.ACCOUNT_DISABLED: Kind(_("Account switched off by the people who run this site"), "warning", True),
    audit.ACCOUNT_ENABLED: Kind(_("Account switched on again"), "profile"),
    audit.ACCOUNT_EXPORTED: Kind(_("Downloaded a copy of the data"), "data"),
    audit.ACCOUNT_SECURED: Kind(_("Signed out everywhere"), "factors"),
    audit.PASSWORD_SET: Kind(_("Password changed"), "password"),
    audit.RECOVERY_ASKED: Kind(_("A new password was asked for by e-mail"), "warning", True),
    audit.RECOVERY_DONE: Kind(_("A new password was set by e-mail"), "password"),
    audit.EMAIL_VERIFIED: Kind(_("E-mail address confirmed"), "email"),
    audit.EMAIL_CHANGED: Kind(_("E-mail address changed"), "email"),
    audit.EMAIL_CHANGE_UNDONE: Kind(_("Earlier e-mail address brought back"), "email"),
    audit.FACTOR_ADDED: Kind(_("Second step added"), "factors"),
    audit.FACTOR_REMOVED: Kind(_("Second step removed"), "factors"),
    audit.FACTOR_FAILED: Kind(_("Right password, but a wrong code"), "warning", True),
    audit.FACTOR_THROTTLED: Kind(_("Too many wrong codes: further ones have to wait"), "warning", True),
    audit.FACTORS_RESET: Kind(_("Second steps removed by the people who run this site"), "warning", True),
    audit.RECOVERY_CODES_MADE: Kind(_("New recovery codes made"), "factors"),
    audit.RECOVERY_CODE_USED: Kind(_("A recovery code was used"), "factors"),
    audit.PASSKEY_RENAMED: Kind(_("Passkey renamed"), "passkeys"),
    audit.PASSKEY_REFUSED: Kind(_("Sign-in with a passkey that did not work"), "warning", True),
    audit.PASSKEY_COPY_SUSPECTED: Kind(_("A passkey was refused because there may be a copy of it"), "warning", True),
}

#: What is written down for names that nobody has too, so that it takes as long (EN-02, EN-03).
ALSO_FOR_NOBODY = frozenset({audit.SIGN_IN_FAILED, audit.RECOVERY_ASKED})
#: What somebody may do often: the like of one network within an hour is counted in one row.
COUNTED = frozenset(
    {
        *(audit.SIGN_IN_FAILED, audit.SIGN_IN_GUARDED, audit.FACTOR_FAILED, audit.FACTOR_THROTTLED),
        *(audit.PASSKEY_REFUSED, audit.RECOVERY_ASKED),
    }
)
