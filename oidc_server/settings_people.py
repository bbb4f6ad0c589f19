"""The settings that concern people: signing in, passwords, second factors, sign-up, mail. Part of settings.Settings."""

from __future__ import annotations

from dataclasses import dataclass

from .settings_checks import setting


@dataclass(frozen=True)
class PeopleSettings:
    """Lifetimes and ages are seconds unless the name says otherwise."""

    # fmt: off
    password_pepper: str = setting("", "Key of the HMAC over each password before it is hashed; derived from secret_key when empty, so set it before you change secret_key.", secret=True)
    session_idle_lifetime: int = setting(8 * 3600, "Seconds without a visit after which the browser session ends.")
    session_absolute_lifetime: int = setting(7 * 86400, "Seconds after which the browser session ends whatever happens.")
    bcrypt_cost: int = setting(12, "Cost of new password hashes as a power of two; 12 is about 0.2 s.")
    password_hash_slots: int = setting(2, "Password hashes that one process computes at a time, so that sign-ins do not starve the token endpoint.")
    password_min_length: int = setting(15, "Least number of characters of a password that is the only factor.")
    ratelimit_sign_in: str = setting("5/minute", "Sign-in attempts for one account from one network.")
    # fmt: on
