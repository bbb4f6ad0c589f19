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
    smtp_url: str = setting("", "The mail server: smtp://, smtp+starttls:// or smtps:// and user:password@host:port; without it no mail leaves, and in development /dev/mails shows them.", secret=True)
    mail_from: str = setting("", "Sender of the mails: an address, or a name with an address in angle brackets; by default no-reply@ the host of the issuer.")
    mail_hourly_limit: int = setting(6, "Mails of one kind that one address gets in an hour; the others are not sent.")
    new_device_mail: bool = setting(True, "Whether people get a mail when somebody signs in to their account with a browser it does not know yet.")
    ratelimit_passkey: str = setting("300/minute", "Passkeys, and challenges for them, that one network may send or ask for.")
    second_factor: str = setting("if enrolled", 'Who signs in with a second factor: "if enrolled" (whoever has one) or "required" (everybody; who has none sets one up at the next sign-in).')
    second_factor_roles: tuple[str, ...] = setting((), "Roles whose people must have a second factor, whatever second_factor says.")
    second_factor_step_up_age: int = setting(12 * 3600, "Seconds after a sign-in within which a second factor alone raises the session; later the password is asked for again.")
    sign_up: str = setting("off", "Who may sign up: 'off', 'invitation' (whoever got a mail of `flask accounts invite`), or 'open' (everybody).")
    hide_accounts: bool = setting(False, "Whether signing up with an address answers the same whether or not it has an account, in the same time; a mail tells its owner.")
    require_verified_email: bool = setting(False, "Whether a person with an e-mail address signs in only after showing that they read it.")
    invitation_lifetime: int = setting(7 * 86400, "Seconds an invitation to sign up can be used.")
    email_confirmation_lifetime: int = setting(86400, "Seconds in which an e-mail address can be confirmed by the link or code that was sent to it.")
    email_undo_lifetime: int = setting(7 * 86400, "Seconds in which the owner of the earlier address can undo a change of e-mail address.")
    password_reset_lifetime: int = setting(1800, "Seconds in which the link or code for a new password can be used.")
    ratelimit_sign_up: str = setting("10/minute;60/hour", "Sign-ups, and mails asked for again, from one network.")
    ratelimit_recover: str = setting("10/minute;60/hour", "Requests for a new password from one network.")
    breached_passwords_url: str = setting("", "Where new passwords are looked up among stolen ones, such as https://api.pwnedpasswords.com/range/; only 5 of the 40 digits of their SHA-1 are sent, and no answer within a second lets them pass; empty asks nobody.")
    ratelimit_confirm: str = setting("30/minute", "Links and codes out of mails, and new passwords set by them, from one network.")
    theme_stylesheet: str = setting("", "A .css file that every page loads after ours (docs/themes.md); relative to the project.")
    theme_logo: str = setting("", "A .svg, .png, .webp or .jpg file that stands for this site on its pages; relative to the project.")
    themes_dir: str = setting("config/themes", "Folder of the themes that single clients may have: <name>.css and, with it, a logo <name>.svg, .png, .webp or .jpg.")
    accounts_api: bool = setting(True, "Whether the JSON API for accounts answers at /api/v1/accounts, and describes itself at /api (docs/people.md).")
    # fmt: on
