"""Rows as years of use leave them: people, apps, what they hold, and what has expired; every identifier random, as ours are."""

from __future__ import annotations

import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from random import Random
from typing import Any, cast

import bcrypt
import sqlalchemy as sa

from oidc_server.accounts.models import Account
from oidc_server.clients.models import Client, ClientSecret
from oidc_server.consents.models import Consent
from oidc_server.database import Base
from oidc_server.resources.models import ProtectedResource
from oidc_server.sessions.models import Session
from oidc_server.storage.sql import ShortLivedValue
from oidc_server.tokens.families import Authorization
from oidc_server.tokens.models import Family

#: The password of everybody who is put there.
PASSWORD = "correct horse battery staple"
CALLBACK = "https://app.example/callback"
DAY = 86_400.0
GIVEN = ("amelia", "bao", "chiara", "dmitri", "esra", "farid", "greta", "hugo", "ines", "jun", "kofi", "lena", "mateo")
FAMILY = ("andersson", "baker", "costa", "dubois", "eze", "fischer", "garcia", "hassan", "ito", "jansen", "kowalski")

#: A row by the names of its columns; those that are left out are NULL.
Row = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How many rows; each person has a session and a consent, each tenth app an API."""

    accounts: int = 1_000_000
    clients: int = 100_000
    families: int = 10_000_000
    expired: int = 1_000_000

    def times(self, factor: float) -> Sizes:
        return Sizes(*(max(1, round(size * factor)) for size in astuple(self)))

    def __str__(self) -> str:
        return ", ".join(f"{size:,} {name}" for name, size in asdict(self).items())


@dataclass(frozen=True)
class Plan:
    """What is put into one table."""

    table: sa.Table
    count: int
    rows: Iterator[Row]


def plans(sizes: Sizes) -> Iterator[Plan]:
    """What goes into each table, in the order that foreign keys ask for."""
    chance, at, run = Random(), time.time(), os.urandom(3).hex()
    people = [os.urandom(16).hex() for _ in range(sizes.accounts)]
    apps = [f"c-{os.urandom(16).hex()}" for _ in range(sizes.clients)]
    apis = [f"https://api-{number}-{run}.example/" for number in range(max(1, sizes.clients // 10))]
    sids = [_short() for _ in people]
    for model, count, rows in (
        (Account, len(people), _accounts(people, run, chance, at)),
        (Client, len(apps), _clients(apps, at)),
        (ClientSecret, len(apps), _secrets(apps, at)),
        (ProtectedResource, len(apis), _resources(apis, apps, at)),
        (Session, len(people), _sessions(people, sids, chance, at)),
        (Consent, len(people), _consents(people, apps, apis, chance, at)),
        (Family, sizes.families, _families(sizes.families, people, sids, apps, apis, chance, at)),
        (ShortLivedValue, sizes.expired, _expired(sizes.expired, people, apps, chance, at)),
    ):
        yield Plan(_table(model), count, rows)


def _table(model: type[Base]) -> sa.Table:
    return cast(sa.Table, model.__table__)


def _short() -> str:
    """128 random bits as secrets.token_urlsafe(16) writes them."""
    return urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def _hash() -> str:
    return os.urandom(32).hex()


def _accounts(people: list[str], run: str, chance: Random, at: float) -> Iterator[Row]:
    # As from another system: one hash for all, because a million of them would take a day.
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    for number, person in enumerate(people):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY)
        name, born = f"{given}.{family}.{number}.{run}", at - chance.random() * 1500 * DAY
        email = f"{name}@mail.example"
        yield {
            "id": person,
            "username": name,
            "username_key": name,
            "email": email,
            "email_key": email,
            "email_verified": number % 10 != 0,
            "password_hash": hashed,
            "claims": {"name": f"{given} {family}".title(), "given_name": given.title(), "locale": "en"},
            "roles": [],
            "groups": [],
            "created_at": born,
            "updated_at": born,
            "password_changed_at": born,
            "last_login_at": at - chance.random() * 30 * DAY,
        }


def _clients(apps: list[str], at: float) -> Iterator[Row]:
    for number, app in enumerate(apps):
        yield {
            "client_id": app,
            "client_name": f"App {number}",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "redirect_uris": [CALLBACK, f"https://app-{number}.example/callback"],
            "post_logout_redirect_uris": [],
            "scope": "openid profile email offline_access photos:read",
            "id_token_signed_response_alg": "RS256",
            "contacts": [],
            "require_auth_time": False,
            "is_trusted": False,
            "metadata_extra": {},
            "created_at": at,
            "updated_at": at,
        }


def _secrets(apps: list[str], at: float) -> Iterator[Row]:
    # Far from where a server goes on counting.
    first = int(at * 1000) % 10**9 + 10**9
    for number, app in enumerate(apps, first):
        yield {"id": number, "client_id": app, "secret_hash": _hash(), "created_at": at}


def _resources(apis: list[str], apps: list[str], at: float) -> Iterator[Row]:
    for number, api in enumerate(apis):
        yield {
            "identifier": api,
            "name": f"API {number}",
            "scopes": {"photos:read": "See your photos"},
            "introspection_client_ids": [apps[number]],
            "created_at": at,
        }


def _sessions(people: list[str], sids: list[str], chance: Random, at: float) -> Iterator[Row]:
    for person, sid in zip(people, sids, strict=True):
        began = at - chance.random() * DAY / 4
        yield {
            "cookie_hash": _hash(),
            "sid": sid,
            "account_id": person,
            "auth_time": began,
            "acr": "1",
            "amr": ["pwd"],
            "created_at": began,
            "last_seen_at": began,
            "expires_at": began + 30 * DAY,
            "network": f"192.0.2.{chance.randrange(256)}",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        }


def _consents(people: list[str], apps: list[str], apis: list[str], chance: Random, at: float) -> Iterator[Row]:
    for person in people:
        yield {
            "account_id": person,
            "client_id": chance.choice(apps),
            "scope": ["offline_access", "openid", "photos:read", "profile"],
            "resources": [chance.choice(apis)],
            "granted_at": at - chance.random() * 300 * DAY,
        }


def _authorization(person: str, app: str, api: str, sid: str, at: float) -> Row:
    """What a family and a code keep of what was authorized."""
    return vars(
        Authorization(
            client_id=app,
            account_id=person,
            scope=["openid", "profile", "offline_access", "photos:read"],
            resources=[api],
            auth_time=int(at),
            acr="1",
            amr=["pwd"],
            nonce=sid,
            sid=sid,
            session_expires_at=at + 30 * DAY,
            redirect_uri=CALLBACK,
            code_challenge=sid + sid[:21],
        )
    )


def _families(
    count: int, people: list[str], sids: list[str], apps: list[str], apis: list[str], chance: Random, at: float
) -> Iterator[Row]:
    for number in range(count):
        which = chance.randrange(len(people))
        app, began = chance.choice(apps), at - chance.random() * 60 * DAY
        # One in ten was refreshed with its answer still in the row, one in twenty has ended, one in three ends with a session.
        is_rotated, is_over = number % 10 == 0, number % 20 == 1
        yield {
            "id": _short(),
            "client_id": app,
            "account_id": people[which],
            "session_sid": sids[which] if number % 3 == 0 else None,
            "authorization": _authorization(people[which], app, chance.choice(apis), sids[which], began),
            "created_at": began,
            "expires_at": began + 90 * DAY,
            "revoked_at": at if is_over else None,
            "revoked_because": "signed out" if is_over else None,
            "refresh_hash": _hash(),
            "refresh_generation": 7 if is_rotated else 0,
            "refresh_expires_at": at + 14 * DAY,
            "previous_hash": _hash() if is_rotated else None,
            "rotated_at": at - DAY if is_rotated else None,
            "sealed_successor": os.urandom(2000) if is_rotated else None,
        }


def _expired(count: int, people: list[str], apps: list[str], chance: Random, at: float) -> Iterator[Row]:
    """Codes that nobody came for."""
    for _ in range(count):
        ended = at - chance.random() * DAY
        kept = _authorization(chance.choice(people), chance.choice(apps), "", _short(), ended)
        yield {"kind": "code", "key_hash": _hash(), "value": {"authorization": kept}, "expires_at": ended}
