"""The options that `create` and `update` share, and the RFC 7591 metadata they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TextIO, TypeVar

import click

from .. import strict_json

F = TypeVar("F", bound=Callable[..., Any])
MAX_DOCUMENT = 64 * 1024

#: option -> (RFC 7591 name, whether it may be repeated, help)
_OPTIONS: dict[str, tuple[str, bool, str]] = {
    "--name": ("client_name", False, "Name that people see."),
    "--redirect-uri": ("redirect_uris", True, "Where answers are sent; may be repeated."),
    "--post-logout-redirect-uri": ("post_logout_redirect_uris", True, "Where sign-out leads; may be repeated."),
    "--grant-type": ("grant_types", True, "authorization_code (default), refresh_token, …; may be repeated."),
    "--scope": ("scope", False, "Scopes it may ask for, in one argument separated by spaces."),
    "--auth-method": ("token_endpoint_auth_method", False, "client_secret_basic (default), private_key_jwt, none, …"),
    "--auth-signing-alg": ("token_endpoint_auth_signing_alg", False, "The one algorithm of its assertions."),
    "--id-token-alg": ("id_token_signed_response_alg", False, "Algorithm of its ID tokens."),
    "--default-resource": ("default_resource", False, "Protected resource of tokens asked for without one."),
    "--client-uri": ("client_uri", False, "Home page."),
    "--logo-uri": ("logo_uri", False, "Logo."),
    "--policy-uri": ("policy_uri", False, "Privacy policy."),
    "--tos-uri": ("tos_uri", False, "Terms of service."),
    "--theme": ("theme", False, "Name of its theme in OIDC_THEMES_DIR."),
    "--contact": ("contacts", True, "E-mail address of somebody responsible; may be repeated."),
}


def metadata_options(command: F) -> F:
    """Add the options to a command; changes_of() reads them."""
    text_file = click.File("r", encoding="utf-8")
    for decorate in (
        click.option("--metadata", type=text_file, help="RFC 7591 JSON from a file, or - for standard input."),
        click.option("--jwks", type=text_file, help="JSON file of its public keys."),
        click.option("--require-pkce/--no-require-pkce", default=None, help="Whether it must use PKCE."),
        click.option(
            "--require-second-factor/--no-require-second-factor", default=None, help="Whether people need two factors."
        ),
    ):
        command = decorate(command)
    for option, (name, repeatable, text) in reversed(_OPTIONS.items()):
        command = click.option(option, name, multiple=repeatable, help=text)(command)
    return command


def changes_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that was given: the document of --metadata, then the single options over it."""
    changes = _read(options["metadata"], "--metadata")
    for name, repeatable, _ in _OPTIONS.values():
        if options[name] not in (None, ()):
            changes[name] = list(options[name]) if repeatable else options[name]
    for name in ("require_pkce", "require_second_factor"):
        if options[name] is not None:
            changes[name] = options[name]
    if options["jwks"] is not None:
        changes["jwks"] = _read(options["jwks"], "--jwks")
    return changes


def _read(file: TextIO | None, option: str) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        text = file.read(MAX_DOCUMENT + 1)
        if len(text) > MAX_DOCUMENT:
            raise click.ClickException(f"{option} is larger than {MAX_DOCUMENT // 1024} kB.")
        return strict_json.read_object(text)
    except ValueError as error:
        raise click.ClickException(f"{option} is {error}.") from error
