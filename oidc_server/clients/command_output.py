"""How clients are shown at the terminal, as JSON for programs and in plain words for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import orjson

from .models import Client
from .registration_answer import document_of, registration_answer
from .store import Registered


def print_json(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def print_registered(registered: Registered, as_json: bool, verb: str, note: str = "") -> None:
    """What create, update and rotate-secret answer: RFC 7591 JSON, or a few lines with the secret among them."""
    client = registered.client
    if as_json:
        print_json(registration_answer(client, registered.client_secret))
        return
    click.echo(f"{verb} {client.client_name}.")
    click.echo(f"  client_id      {client.client_id}")
    if registered.client_secret is not None:
        click.echo(f"  client_secret  {registered.client_secret}")
        click.echo("Copy the secret now: it is not kept in readable form and cannot be shown again.")
    if note:
        click.echo(note)


def print_line(client: Client) -> None:
    marks = [
        mark
        for mark, is_set in (
            ("public", client.is_public),
            ("trusted", client.is_trusted),
            ("disabled", not client.is_active),
        )
        if is_set
    ]
    click.echo("  ".join([client.client_id, client.client_name, client.display_host or "-", *marks]))


def described(client: Client) -> dict[str, Any]:
    """All that may be shown of a client: never a secret, nor its hash."""
    return {
        "client_id": client.client_id,
        **document_of(client),
        "is_trusted": client.is_trusted,
        "is_disabled": not client.is_active,
        "created_at": _utc(client.created_at),
        "updated_at": _utc(client.updated_at),
    }


def secrets_of(client: Client) -> list[dict[str, Any]]:
    """When each secret was made, ends, and was last used (to the hour)."""
    return [
        {name: _utc(getattr(held, name)) for name in ("created_at", "expires_at", "last_used_at")}
        for held in client.secrets
    ]


def print_table(described: dict[str, Any]) -> None:
    width = max(map(len, described))
    for name, value in described.items():
        for line in _lines(value):
            click.echo(f"{name:<{width}}  {line}")
            name = ""


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [", ".join(_lines(item)) for item in value] or ["-"]
    if isinstance(value, dict):
        return [f"{name}: {' '.join(_lines(item))}" for name, item in value.items()] or ["-"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(value) if value not in (None, "") else "-"]


def _utc(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
