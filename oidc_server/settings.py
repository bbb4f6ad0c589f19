"""Every setting of the server: name, type, default, one sentence.

Later sources win: the defaults here, `config/<environment>.toml`, the environment (`OIDC_NAME`, or `OIDC_NAME_FILE` naming a file that
holds the value), arguments of `create_app()`. An unknown name, a value of the wrong type or an unsafe one in production refuses to start
and names itself. `make config` writes `config/example.toml`, `.env.example` and `docs/configuration.md` from this file.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import settings_checks
from .settings_checks import setting
from .settings_people import PeopleSettings

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "OIDC_"
ENVIRONMENTS = ("development", "testing", "production")
#: Seconds that a protected resource may let its access tokens live.
LONGEST_RESOURCE_LIFETIME = 86400


class SettingsError(ValueError):
    """A setting is unknown, unreadable or unsafe; the message names it and says what to do."""


@dataclass(frozen=True)
class Settings(PeopleSettings):
    """The settings of one app. Lifetimes and ages are seconds unless the name says otherwise."""

    # fmt: off
    environment: str = setting("development", "One of development, testing, production; production refuses unsafe values.")
    issuer: str = setting("http://localhost:8000", "The issuer identifier: the https URL under which everybody reaches this server, without a path.")
    bind: str = setting("", "Address and port to listen on, such as 0.0.0.0:8000; by default 127.0.0.1 and the port of the issuer.")
    workers: int = setting(1, "Number of server processes that `make serve` starts.")
    database_url: str = setting("sqlite:///oidc.sqlite3", "SQLAlchemy URL; a relative SQLite path lies in instance/, PostgreSQL is postgresql+psycopg://user:password@host/name.", secret=True)
    database_pool_size: int = setting(5, "Connections each process keeps open to PostgreSQL.")
    database_timeout: float = setting(3.0, "Longest wait for a database connection or a lock before the answer is 503.")
    keys_dir: str = setting("keys", "Folder of the signing keys, mode 0700; relative to the project.")
    secret_key: str = setting("", "At least 32 random characters; cookies, forms and sealed values are keyed by it. Made and kept in instance/ outside production.", secret=True)
    secret_key_fallbacks: tuple[str, ...] = setting((), "Earlier secret keys, newest first, that are still accepted during a change.", secret=True)
    redis_url: str = setting("", "redis:// or valkey:// URL that shares the rate limits between processes; without it each process counts alone.", secret=True)
    trusted_proxies: str = setting("", "Whose X-Forwarded-For is believed: a number of hops, or addresses and networks such as 10.0.0.0/8, separated by commas.")

    signing_algorithms: tuple[str, ...] = setting(("RS256",), "Algorithms for which signing keys are kept, the first is the default: RS256, PS256, ES256, EdDSA.")
    rsa_key_bits: int = setting(2048, "Size of new RSA keys, 2048 or more; 3072 costs three times the signing time.")
    key_rotation_days: float = setting(30.0, "Days between two scheduled rotations of the signing keys; 0 leaves rotation to `flask keys rotate`.")
    jwks_max_age: int = setting(300, "Seconds for which verifiers may keep the JWKS; a new key is published this long, and a minute, before it signs.")
    access_token_lifetime: int = setting(900, "Seconds an access token lives unless its protected resource says otherwise.")
    id_token_lifetime: int = setting(900, "Seconds an ID token lives.")
    authorization_code_lifetime: int = setting(60, "Seconds an authorization code lives.")
    authorization_request_lifetime: int = setting(900, "Seconds a person has to finish signing in before the app must ask again.")
    refresh_token_idle_lifetime: int = setting(14 * 86400, "Seconds after which an unused refresh token ends.")
    refresh_token_absolute_lifetime: int = setting(90 * 86400, "Seconds after which a refresh token family ends however often it is used.")
    refresh_token_grace: int = setting(10, "Seconds in which the token just rotated returns its same successor, for a client that lost the answer; a thief who repeats it within them gets the live pair too.")

    require_pkce: str = setting("every client", "'every client', or 'public clients': then a stolen code of a confidential client is guarded by its secret alone.")
    client_assertion_audience: str = setting("issuer", "'issuer', or 'issuer or token endpoint' for old clients: then another server that a client trusts could reuse an assertion made out to a URL here.")
    client_assertion_max_lifetime: int = setting(300, "Seconds ahead that the exp of a client assertion may lie.")
    clock_skew: int = setting(10, "Seconds by which the clocks of clients may differ from ours.")


    ratelimit_enabled: bool = setting(True, "Whether requests are limited; switch off for load tests only.")
    ratelimit_token: str = setting("600/minute", "Token requests of one client from one network.")
    ratelimit_default: str = setting("6000/minute", "Other requests from one network.")
    log_level: str = setting("INFO", "Least level of the log: DEBUG, INFO, WARNING, ERROR.")
    # fmt: on

    def __post_init__(self) -> None:
        for problem in settings_checks.problems_of(self):
            raise SettingsError(problem)

    @cached_property
    def is_https(self) -> bool:
        return self.issuer.startswith("https://")

    @cached_property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def origin(self) -> str:
        """The issuer's origin; the issuer has no path, so they are the same string."""
        return self.issuer

    def url(self, path: str) -> str:
        """The public URL of a path of this server, built from the issuer and never from a request."""
        return self.issuer + path

    @property
    def accounts_api_resource(self) -> str:
        """The identifier of the accounts API as a protected resource (RFC 8707 §2)."""
        return self.url("/api/v1/accounts")

    @cached_property
    def userinfo_resource(self) -> str:
        """The identifier of the server's own protected resource, the UserInfo endpoint (RFC 8707 §2)."""
        return self.url("/userinfo")

    @cached_property
    def longest_token_lifetime(self) -> int:
        """Seconds after which no token that is signed now can be valid: resources may choose up to a day."""
        return max(self.access_token_lifetime, self.id_token_lifetime, LONGEST_RESOURCE_LIFETIME)

    @cached_property
    def instance_path(self) -> Path:
        return ROOT / "instance"

    @cached_property
    def keys_path(self) -> Path:
        return ROOT / self.keys_dir

    def derive_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the secret key by HKDF-SHA256 (RFC 5869), so that no key serves two ends."""
        return self.derive_keys(purpose)[0]

    def derive_keys(self, purpose: str) -> tuple[bytes, ...]:
        """The key of one purpose from the newest secret key, then those from its fallbacks."""
        cache: dict[str, tuple[bytes, ...]] = self.__dict__.setdefault("_derived", {})
        if purpose not in cache:
            cache[purpose] = tuple(_hkdf(key, purpose) for key in (self.secret_key, *self.secret_key_fallbacks))
        return cache[purpose]


def _hkdf(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"oidc_server " + purpose.encode()).derive(
        secret.encode()
    )


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings of this process.

    Raises SettingsError naming the first setting that is unknown, of the wrong type, or unsafe in production.
    """
    from_environment = _from_environment(os.environ if environ is None else environ)
    environment = overrides.get("environment") or from_environment.get("environment") or "development"
    if environment not in ENVIRONMENTS:
        raise SettingsError(f"OIDC_ENVIRONMENT is {environment!r}; use one of {', '.join(ENVIRONMENTS)}.")
    values = (
        _from_file(ROOT / "config" / f"{environment}.toml") | from_environment | _checked("create_app()", overrides)
    )
    values["environment"] = environment
    if not values.get("secret_key") and environment != "production":
        values["secret_key"] = _kept_secret(ROOT / "instance" / "secret_key")
    return Settings(**values)


def _declared() -> dict[str, Field[Any]]:
    return {declared.name: declared for declared in fields(Settings)}


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} in config/ is not TOML: {error}") from error
    return _checked(f"config/{path.name}", found)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, str] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in _declared() and key.endswith("_file"):
            key = key.removesuffix("_file")
            try:
                text = Path(text).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{name} names a file that cannot be read: {error}") from error
        if key in values:
            raise SettingsError(f"{PREFIX}{key.upper()} and {PREFIX}{key.upper()}_FILE are both set; keep one.")
        values[key] = text
    return _checked("the environment", values, prefix=PREFIX)


def _checked(source: str, values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    hints = get_type_hints(Settings)
    checked: dict[str, Any] = {}
    for key, value in values.items():
        shown = prefix + (key.upper() if prefix else key)
        if key not in hints:
            raise SettingsError(f"{source} sets {shown}, which is no setting; docs/configuration.md lists them all.")
        checked[key] = _convert(shown, value, hints[key])
    return checked


def _convert(name: str, value: Any, kind: Any) -> Any:
    try:
        if kind is bool:
            return (
                value
                if isinstance(value, bool)
                else {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
            )
        if kind is int and not isinstance(value, (bool, float)):
            return int(value)
        if kind is float and not isinstance(value, bool):
            return float(value)
        if kind is str and isinstance(value, (str, Path)):
            return str(value)
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, (list, tuple)):
            return tuple(str(part) for part in value)
    except (KeyError, ValueError):
        pass
    wanted = (
        "a list"
        if kind not in (bool, int, float, str)
        else {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    )
    raise SettingsError(f"{name} must be {wanted}.")


def _kept_secret(path: Path) -> str:
    """The secret made at the first start and kept, mode 0600; of several first starts at once, one secret wins."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(48), "utf-8")
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text("utf-8").strip()
