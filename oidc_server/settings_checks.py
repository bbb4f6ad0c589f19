"""What a setting is, and which cannot be: values out of range, and what is unsafe in production (attacks: FT-24, SE-16)."""

from __future__ import annotations

import ipaddress
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .settings import Settings

# Seconds: longer, a rotated refresh token would be as good as one that is never rotated (RFC 9700 §2.2.2).
_LONGEST_GRACE = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_PREFIX = "OIDC_"
_CHOICES = {
    "second_factor": ("if enrolled", "required"),
    "require_pkce": ("every client", "public clients"),
    "client_assertion_audience": ("issuer", "issuer or token endpoint"),
    "sign_up": ("off", "invitation", "open"),
}
_LEAST = {
    "rsa_key_bits": 2048,
    "workers": 1,
    "database_pool_size": 1,
    "jwks_max_age": 1,
    "access_token_lifetime": 1,
    "id_token_lifetime": 1,
    "authorization_code_lifetime": 1,
    "authorization_request_lifetime": 1,
    "password_hash_slots": 1,
    "password_min_length": 8,
    "mail_hourly_limit": 1,
    "invitation_lifetime": 60,
    "email_confirmation_lifetime": 60,
    "email_undo_lifetime": 60,
    "password_reset_lifetime": 60,
}


def setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    """Declare one setting: its default (its type is the annotation) and the sentence that documents it."""
    metadata = {"doc": sentence, "secret": secret}
    if isinstance(default, tuple):
        return field(default=default, metadata=metadata)
    return field(default=default, metadata=metadata, repr=not secret)


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with these settings, each a sentence that names the setting and says what to do."""
    found = [*_issuer_problems(settings), *_mail_problems(settings), *_range_problems(settings)]
    found += _breached_passwords_problems(settings)
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            found.append(f"{_PREFIX}{name.upper()} must be one of: {', '.join(choices)}.")
    unknown = [name for name in settings.signing_algorithms if name not in ALGORITHMS]
    if unknown or not settings.signing_algorithms:
        found.append(f"OIDC_SIGNING_ALGORITHMS takes names out of {', '.join(ALGORITHMS)}, at least one.")
    if len(settings.secret_key) < 32:
        found.append(
            "OIDC_SECRET_KEY must be at least 32 random characters; make one with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    elif settings.password_pepper in (settings.secret_key, *settings.secret_key_fallbacks):
        found.append("OIDC_PASSWORD_PEPPER must not be the secret key; give it 32 random characters of its own.")
    elif settings.is_production and len(set(settings.secret_key)) < 10:
        found.append("OIDC_SECRET_KEY looks like a placeholder; production needs 32 random characters.")
    return found


def _issuer_problems(settings: Settings) -> list[str]:
    parts = urlsplit(settings.issuer)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        return ["OIDC_ISSUER must be an https URL of scheme, host and maybe port, without path or trailing slash."]
    if settings.is_production and parts.scheme != "https":
        return ["OIDC_ISSUER is http; production needs https."]
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return ["OIDC_ISSUER is http for a host that is not this machine; use https."]
    return []


def _mail_problems(settings: Settings) -> list[str]:
    try:
        parts = urlsplit(settings.smtp_url)
        is_whole = bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
    except ValueError:  # the port is no number
        parts, is_whole = urlsplit(""), False
    if not settings.smtp_url:
        return []
    if parts.scheme not in SMTP_SCHEMES or not is_whole or parts.query or parts.fragment:
        return [f"OIDC_SMTP_URL must be {', '.join(SMTP_SCHEMES)} and ://user:password@host:port, percent-encoded."]
    if settings.is_production and parts.scheme == "smtp" and parts.username and not is_loopback(parts.hostname or ""):
        return ["OIDC_SMTP_URL would send a password in the clear; use smtp+starttls:// or smtps://."]
    return []


def _breached_passwords_problems(settings: Settings) -> list[str]:
    try:
        parts = urlsplit(settings.breached_passwords_url)
        is_whole = bool(parts.hostname) and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:  # the port is no number
        return ["OIDC_BREACHED_PASSWORDS_URL has a port that is no number."]
    is_local_test = settings.environment == "testing" and parts.scheme == "http" and is_loopback(parts.hostname or "")
    is_safe = parts.scheme == "https" or is_local_test
    if settings.breached_passwords_url and not (is_safe and is_whole and "@" not in parts.netloc):
        return ["OIDC_BREACHED_PASSWORDS_URL must be an https URL such as https://api.pwnedpasswords.com/range/."]
    return []


def _range_problems(settings: Settings) -> list[str]:
    found = []
    for declared in fields(settings):
        value = getattr(settings, declared.name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
            found.append(f"{_PREFIX}{declared.name.upper()} must not be negative.")
    least = _LEAST | {"bcrypt_cost": 4 if settings.environment == "testing" else 10}
    found += [
        f"{_PREFIX}{name.upper()} must be at least {bound}."
        for name, bound in least.items()
        if getattr(settings, name) < bound
    ]
    if settings.authorization_code_lifetime > 600:
        found.append("OIDC_AUTHORIZATION_CODE_LIFETIME must be at most 600 (RFC 6749 §4.1.2).")
    if settings.refresh_token_grace > _LONGEST_GRACE:
        found.append(f"OIDC_REFRESH_TOKEN_GRACE must be at most {_LONGEST_GRACE}; it is for answers lost on the way.")
    if settings.bcrypt_cost > 20:
        found.append("OIDC_BCRYPT_COST must be at most 20; each step doubles the time of a sign-in.")
    return found


def is_loopback(host: str) -> bool:
    """Whether a host name or literal is this machine's own (RFC 8252 §7.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
