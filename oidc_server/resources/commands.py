"""`flask resources create|list|delete`."""

from __future__ import annotations

import click
import orjson
from flask.cli import AppGroup

from .. import audit
from . import store

resources = AppGroup("resources", help="Protected resources: the APIs that access tokens are meant for.")


@resources.command("create")
@click.argument("identifier")
@click.option("--name", required=True, help="Name that people see.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="NAME=SENTENCE",
    help="A scope and what it allows, in words for people; may be repeated.",
)
@click.option("--lifetime", type=int, help="Seconds its access tokens live; the server's setting by default.")
@click.option(
    "--introspection-client",
    "introspection_clients",
    multiple=True,
    metavar="CLIENT_ID",
    help="A client that may introspect its tokens; may be repeated.",
)
def create_command(
    identifier: str, name: str, scopes: tuple[str, ...], lifetime: int | None, introspection_clients: tuple[str, ...]
) -> None:
    """Create the resource of the URI IDENTIFIER."""
    pairs = [scope.partition("=") for scope in scopes]
    try:
        store.create(
            identifier,
            name,
            {scope: sentence for scope, _, sentence in pairs},
            access_token_lifetime=lifetime,
            introspection_client_ids=introspection_clients,
        )
    except store.ResourceError as error:
        raise click.ClickException(str(error)) from error
    audit.record(audit.RESOURCE_CREATED, resource=identifier)
    names = " ".join(scope for scope, _, _ in pairs) or "(no scope yet)"
    click.echo(f"Created {identifier}. Apps may ask for it once their scope holds one of: {names}")


@resources.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the resources."""
    found = store.list_resources()
    if as_json:
        rows = [
            {
                "identifier": one.identifier,
                "name": one.name,
                "scopes": one.scopes,
                "access_token_lifetime": one.access_token_lifetime,
                "introspection_client_ids": one.introspection_client_ids,
            }
            for one in found
        ]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for one in found:
        click.echo(f"{one.identifier}  {one.name}  {' '.join(one.scopes)}")
    if not found:
        click.echo("No resources yet; `flask resources create --help` says how to make one.")


@resources.command("delete")
@click.argument("identifier")
def delete_command(identifier: str) -> None:
    """Delete the resource of the URI IDENTIFIER."""
    if not store.delete(identifier):
        raise click.ClickException("There is no resource of that identifier.")
    audit.record(audit.RESOURCE_DELETED, resource=identifier)
    click.echo(f"Deleted {identifier}.")
