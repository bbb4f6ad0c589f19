"""The first step: is this a request that may be answered, and where to?

Nothing is trusted until client and redirect URI are known together: an error before that is a page, after it a redirect in the
response mode that was asked for (RFC 6749 §4.1.2.1). CHECKS run in their order; each raises or fills in the walk.
"""

from __future__ import annotations

import re
from typing import Any

from .. import audit, registrations, strict_json
from ..accounts.claims import CLAIMS_OF_SCOPE
from ..clients import store as clients
from ..errors import PageError, ProtocolError
from ..resources import IDENTITY_SCOPES, InvalidTarget, grantable
from ..responses import DEFAULT_MODE, MODES
from ..server import current_server
from ..tokens import id_token
from .walk import Walk

PROMPTS = ("none", "login", "consent", "select_account")
#: Only where everybody may sign up (OpenID Connect Prompt Create 1.0 §4).
PROMPT_CREATE = "create"
#: What an honest client may send, in characters, and the error that tells it of more.
_MAX_LENGTHS = {
    "nonce": (4096, "invalid_request"),
    "scope": (4096, "invalid_scope"),
    "claims": (8192, "invalid_request"),
}
_MAX_STATE = 4096
_NO_CLAIMS = "The claims parameter is not the JSON object of OpenID Connect Core section 5.5."
SCOPE_OF_CLAIM = {name: scope for scope, names in CLAIMS_OF_SCOPE.items() for name in names}


def require_client(walk: Walk) -> None:
    """An active, registered client; unknown and disabled look the same."""
    if walk.parameters.duplicates & {"client_id", "redirect_uri"}:
        raise PageError("bad_request", developer="client_id and redirect_uri must be sent once.")
    client_id = walk.parameters.get("client_id")
    walk.client = clients.find_active(client_id) if client_id else None
    if walk.client is None:
        raise PageError(
            "unknown_client",
            error="invalid_client",
            developer="The client_id is not registered here.",
            detail=f"client_id {audit.clipped(client_id)!r}",
        )


def require_redirect_uri(walk: Walk) -> None:
    """The redirect URI, compared as a string (RFC 9700 §4.1.3); it may be left out only by a client that registered just one."""
    asked = walk.parameters.get("redirect_uri")
    walk.redirect_uri = asked if asked is not None else walk.client.get_default_redirect_uri() or ""
    if not walk.redirect_uri or (asked is not None and not walk.client.check_redirect_uri(asked)):
        registered = " ".join(walk.client.redirect_uris)
        path, has_query, _ = (asked or "").partition("?")  # a query may hold a code or a token
        raise PageError(
            "redirect_uri",
            developer="The redirect_uri is missing or not one that is registered for this client, character by character.",
            detail=f"client {walk.client.client_id}: got {path + has_query!r:.300}, registered {registered:.600}",
        )


def require_sane_state(walk: Walk) -> None:
    """A state that can be sent back: no redirect carries one that is longer than addresses may be."""
    if len(walk.parameters.get("state", "")) > _MAX_STATE:
        raise PageError("bad_request", developer=f"The state is longer than {_MAX_STATE} characters.")


def require_response_mode(walk: Walk) -> None:
    """Known before anything else is refused, so that the refusal leaves in the mode that was asked for."""
    mode = walk.parameters.get("response_mode", DEFAULT_MODE)
    if mode not in MODES or (mode == "form_post" and not walk.redirect_uri.startswith(("https://", "http://"))):
        raise ProtocolError("invalid_request", "The response_mode is not supported.")
    walk.response_mode = mode


def refuse_what_is_malformed(walk: Walk) -> None:
    """No parameter twice (RFC 6749 §3.1), none of absurd length."""
    if walk.parameters.duplicates - {"resource"}:
        raise ProtocolError("invalid_request", "A parameter was sent more than once.")
    for name, (limit, error) in _MAX_LENGTHS.items():
        if len(walk.parameters.get(name, "")) > limit:
            raise ProtocolError(error, f"The parameter {name} is too long.")


def refuse_request_objects(walk: Walk) -> None:
    """RFC 9101 is not supported yet, and a request_uri is never fetched."""
    for name in ("request", "request_uri", "registration"):
        if name in walk.parameters:
            raise ProtocolError(f"{name}_not_supported", f"The parameter {name} is not supported.")


def require_response_type(walk: Walk) -> None:
    """Exactly `code`: no other order, case or white space."""
    response_type = walk.parameters.get("response_type")
    if response_type is None:
        raise ProtocolError("invalid_request", "The response_type is missing.")
    if response_type != "code":
        raise ProtocolError("unsupported_response_type", "The response_type must be code.")
    if not walk.client.check_response_type("code") or not walk.client.check_grant_type("authorization_code"):
        raise ProtocolError("unauthorized_client", "The client is not registered for this response_type.")


def require_resources_and_scope(walk: Walk) -> None:
    """Which resources (RFC 8707 §2.1) and which of their scopes; the server's own identity scopes always have a meaning."""
    try:
        walk.resources = grantable(
            walk.parameters.getlist("resource"), walk.client.default_resource, walk.client.scope.split()
        )
    except InvalidTarget as error:
        raise ProtocolError("invalid_target", "A resource is unknown here, or not for this client.") from error
    of_resources = {name for resource in walk.resources for name in resource.scopes}
    asked = walk.parameters.get("scope")
    if asked is None:
        # RFC 6749 §3.3: a default. Never `openid`: an ID token goes only to who asked for one.
        scope = [
            name
            for name in walk.client.scope.split()
            if name in of_resources and name not in ("openid", "offline_access")
        ]
    else:
        allowed = walk.client.get_allowed_scope(_without_idle_offline_access(walk.client, asked))
        if allowed is None:
            raise ProtocolError("invalid_scope", "The client may not ask for this scope.")
        scope = list(dict.fromkeys(allowed.split()))
    if not scope or not set(scope) <= {*of_resources, *IDENTITY_SCOPES}:
        raise ProtocolError("invalid_scope", "A scope has no meaning at the resource; name the resource it belongs to.")
    walk.scope = scope


def _without_idle_offline_access(client: Any, scope: str) -> str:
    """OIDC Core §11: `offline_access` is ignored where it can have no effect; some clients add it wherever it is offered."""
    if client.check_grant_type("refresh_token") and "offline_access" in client.scope.split():
        return scope
    return " ".join(name for name in scope.split(" ") if name != "offline_access")


def require_grant(walk: Walk) -> None:
    """Authlib's grant for the response type, with its extensions (PKCE)."""
    walk.request.client = walk.client
    walk.grant = current_server.get_authorization_grant(walk.request)
    walk.grant.execute_hook("after_validate_authorization_request_payload", walk.redirect_uri)


def require_prompt(walk: Walk) -> None:
    """OIDC Core §3.1.2.1: known values, and `none` alone."""
    prompt = frozenset(walk.parameters.get("prompt", "").split())
    known = {*PROMPTS, PROMPT_CREATE} if registrations.is_open() else set(PROMPTS)
    if not prompt <= known or ("none" in prompt and len(prompt) > 1):
        raise ProtocolError("invalid_request", "The prompt is not supported, or combines none with another value.")
    walk.prompt = prompt


def require_max_age(walk: Walk) -> None:
    """Seconds since the sign-in; the client may have registered a default."""
    text = walk.parameters.get("max_age")
    if text is None:
        walk.max_age = walk.client.default_max_age
    elif re.fullmatch(r"[0-9]{1,10}", text):
        walk.max_age = int(text)
    else:
        raise ProtocolError("invalid_request", "The max_age must be a number of seconds.")


def require_claims(walk: Walk) -> None:
    """The `claims` parameter (OIDC Core §5.5): an object of two objects; members we do not know are ignored as it says."""
    text = walk.parameters.get("claims")
    if text is None:
        return
    try:
        found = strict_json.read_object(text)
    except ValueError as error:
        raise ProtocolError("invalid_request", _NO_CLAIMS) from error
    for member in ("userinfo", "id_token"):
        requested = {} if found.get(member) is None else found[member]
        if not isinstance(requested, dict) or any(
            one is not None and not isinstance(one, dict) for one in requested.values()
        ):
            raise ProtocolError("invalid_request", _NO_CLAIMS)
        # Asking by name goes no further than the scopes that the client registered.
        allowed = {None, *walk.client.scope.split()}
        walk.claims[member] = {name: how for name, how in requested.items() if SCOPE_OF_CLAIM.get(name) in allowed}
    _require_reachable_acr(walk.claims["id_token"].get("acr"))


def _require_reachable_acr(requested: dict[str, Any] | None) -> None:
    """An essential acr that no method reaches is an error, never a token that claims it (OIDC Core §5.5.1.1)."""
    if not requested or not requested.get("essential") or not requested.keys() & {"value", "values"}:
        return  # without a value any will do, and every ID token has one
    wanted = requested.get("values") or [requested.get("value")]
    if not isinstance(wanted, list) or not set(map(str, wanted)) & set(current_server.metadata["acr_values_supported"]):
        raise ProtocolError("unmet_authentication_requirements", "The essential acr cannot be reached here.")


def require_hint(walk: Walk) -> None:
    """An `id_token_hint` must be an ID token of ours; it never signs anybody in (OIDC Core §3.1.2.1)."""
    text = walk.parameters.get("id_token_hint")
    if text is None:
        walk.hinted_sub = walk.parked.hinted_sub if walk.parked is not None else ""
        return
    hint = id_token.read_hint(text)
    if hint is None:
        raise ProtocolError("invalid_request", "The id_token_hint is not an ID token of this server.")
    walk.hinted_sub = hint["sub"]


PAGE_CHECKS = (require_client, require_redirect_uri, require_sane_state)
CHECKS = (
    require_response_mode,
    refuse_what_is_malformed,
    refuse_request_objects,
    require_response_type,
    require_resources_and_scope,
    require_grant,
    require_prompt,
    require_max_age,
    require_claims,
    require_hint,
)
